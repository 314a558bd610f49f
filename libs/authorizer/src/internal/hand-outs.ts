import { Inject, Injectable } from '@nestjs/common';
import { type AccessCaller } from '@app/access';
import { METRICS } from '@app/wechat';
import { Counter, type Registry } from 'prom-client';

/** Counts who was handed tokens. */
@Injectable()
export class HandOuts {
  private readonly counter: Counter<'key' | 'token'>;

  constructor(@Inject(METRICS) registry: Registry) {
    this.counter = new Counter({
      name: 'wechat_access_tokens_handed_out_total',
      help: 'Access tokens given over /internal, by the name of the API key that asked',
      labelNames: ['key', 'token'],
      registers: [registry],
    });
  }

  /** Keys are few and named by us; subjects of an identity provider are not, and share a label. */
  count({ kind, name }: AccessCaller, token: 'authorizer' | 'component'): void {
    this.counter.inc({ key: kind === 'api-key' ? name : kind, token });
  }
}
