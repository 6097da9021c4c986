/** How we show a forge who we are. Secrets stand behind functions, so that no log and no `inspect` prints them. */

export type Credentials =
  | { readonly kind: 'token'; readonly token: () => string }
  | {
      readonly kind: 'app';
      /** Number or client id of the App. */
      readonly appId: string;
      /** PEM. */
      readonly privateKey: () => string;
      /** null: looked up by the repository. */
      readonly installationId: number | null;
    };
