/** `NAMESPACE/NAME` of a secret, as commands take it. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';
import { LABEL, type NamespaceName } from '../../schemas/names.ts';
import { SECRET_NAME, type SecretName } from '../../schemas/secret.ts';

export interface SecretTarget {
  readonly namespace: NamespaceName;
  readonly name: SecretName;
}

/** @throws USAGE */
export function secretTarget(text: string): SecretTarget {
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (LABEL.test(namespace) && SECRET_NAME.test(name) && rest.length === 0) return { namespace, name };
  throw new SlipwayError('USAGE', `${text} is not NAMESPACE/NAME of a secret, like production/db-password`);
}
