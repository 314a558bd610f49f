import { Inject, Injectable, Logger } from '@nestjs/common';
import { isKnownInfoType } from '@app/events';
import { Counter, Gauge, type Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { METRICS } from './metrics.js';
import { WECHAT_OPTIONS, type WechatOptions } from './wechat.options.js';

const NOTE_EVERY_MS = 60_000;

/** A secret that is rotated, and the column that says when its previous value was last of use. */
const SECRETS = { token: 'previous_token_used_at', encoding_aes_key: 'previous_aes_key_used_at' } as const;
type Secret = keyof typeof SECRETS;

/** Counts pushes for the operator: how many, of what kind, and under which of two rotated secrets they came. */
@Injectable()
export class PushCounters {
  private readonly pushes: Counter<'info_type' | 'outcome'>;
  private readonly secrets: Counter<'secret' | 'generation'>;
  private readonly lastUses: Gauge<'secret' | 'generation'>;
  private readonly logger = new Logger(PushCounters.name);
  private readonly appId: string;
  private readonly notedAt = new Map<Secret, number>();

  constructor(
    @Inject(METRICS) registry: Registry,
    @Inject(WECHAT_OPTIONS) { appId }: WechatOptions,
    private readonly dataSource: DataSource,
  ) {
    this.appId = appId;
    this.pushes = new Counter({
      name: 'wechat_pushes_total',
      help: 'Authentic pushes that were answered with success',
      labelNames: ['info_type', 'outcome'],
      registers: [registry],
    });
    this.secrets = new Counter({
      name: 'wechat_push_secret_uses_total',
      help: 'Which token and key opened pushes; once "previous" stands still, the previous pair may be removed',
      labelNames: ['secret', 'generation'],
      registers: [registry],
    });
    this.lastUses = new Gauge({
      name: 'wechat_push_secret_last_use_timestamp_seconds',
      help: 'When a token or key last opened a push in this process; "previous" may be removed a day after its last use',
      labelNames: ['secret', 'generation'],
      registers: [registry],
    });
  }

  received(infoType: string, stored: boolean, tokenIndex: number, keyIndex: number): void {
    this.pushes.inc({
      // Labels are kept for ever, so no name that anybody makes up may become one.
      info_type: isKnownInfoType(infoType) ? infoType : 'other',
      outcome: stored ? 'stored' : 'repeated',
    });
    this.used('token', tokenIndex === 0 ? 'current' : 'previous');
    this.used('encoding_aes_key', keyIndex === 0 ? 'current' : 'previous');
  }

  private used(secret: Secret, generation: 'current' | 'previous'): void {
    this.secrets.inc({ secret, generation });
    this.lastUses.setToCurrentTime({ secret, generation });
    if (generation === 'previous') this.note(secret);
  }

  /** For the platform status, which speaks for all processes. The push is not kept waiting for it. */
  private note(secret: Secret): void {
    const now = Date.now();
    if (now - (this.notedAt.get(secret) ?? 0) < NOTE_EVERY_MS) return;
    this.notedAt.set(secret, now);
    this.dataSource
      .query(
        `insert into platform_credential (component_app_id, ${SECRETS[secret]}) values ($1, now())
         on conflict (component_app_id) do update set ${SECRETS[secret]} = excluded.${SECRETS[secret]}`,
        [this.appId],
      )
      .catch((error: Error) => this.logger.warn(`The use of the previous ${secret} was not noted: ${error.message}`));
  }
}
