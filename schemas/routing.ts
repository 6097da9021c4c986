/** Routing tables: which ready instances answer for which hostname, port and name. Made by routing/, rendered by agents. */

/** An instance that answers; `id` is unique in the installation and safe as an HAProxy server name. */
export interface Endpoint {
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

/** `host` is lower case without port; `pathPrefix` begins and does not end with `/`, except the root `/`. */
export interface HttpRoute {
  readonly host: string;
  readonly pathPrefix: string;
  readonly backend: string;
}

export interface TcpRoute {
  readonly listenPort: number;
  readonly backend: string;
}

/**
 * Key is `<namespace>/<service>/<container port>`, with `/local` behind it where only instances of the gateway's own
 * machine answer (a published port of a service that has slots elsewhere too). Endpoints in order of id; may be empty
 * (answers 503).
 */
export interface Backend {
  readonly key: string;
  readonly endpoints: readonly Endpoint[];
}

/** Addresses that a service name gives to containers of its namespace. */
export interface NameRow {
  readonly namespace: string;
  readonly service: string;
  readonly addresses: readonly string[];
}

export interface RoutingTable {
  readonly http: readonly HttpRoute[];
  readonly tcp: readonly TcpRoute[];
  readonly backends: readonly Backend[];
  readonly names: readonly NameRow[];
  /** Container address → namespace, for isolation and for caller-aware names. */
  readonly members: readonly { readonly address: string; readonly namespace: string }[];
}
