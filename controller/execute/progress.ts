/** Progress of a deploy, as it happens: what terminals and events show. */
import type { DeployState } from '../../schemas/deploy.ts';
import type { Evidence } from '../../schemas/step.ts';

export type Progress =
  | { readonly kind: 'recovering'; readonly deploy: string; readonly text: string }
  | { readonly kind: 'phase'; readonly index: number; readonly total: number; readonly title: string }
  | {
      readonly kind: 'step';
      readonly id: string;
      readonly machine: string;
      readonly state: 'running' | 'done';
      readonly text: string;
    }
  | { readonly kind: 'committed'; readonly n: number; readonly final: boolean }
  | { readonly kind: 'cleanup'; readonly text: string }
  | {
      readonly kind: 'ended';
      readonly state: DeployState;
      readonly message: string;
      readonly evidence: readonly Evidence[];
    };

export type OnProgress = (progress: Progress) => void;
