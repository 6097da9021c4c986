/** The header that marks a message of a bucket as a deletion (ADR-8 of nats-architecture-and-design). */
export const OPERATION_HEADER = 'KV-Operation';
