import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { EventOutbox } from '@app/events';
import { WECHAT_OPTIONS, type WechatOptions } from '@app/wechat';
import { type EntityManager } from 'typeorm';
import { AuthorizerError } from '../authorizer.errors.js';
import { AuthorizerRecords, type Binding } from '../authorizer-records.js';
import { digestOfCode } from '../code-exchange.js';

/** What a link says about the account that comes with it. */
interface Wanted extends Binding {
  readonly requestedAppId: string | null;
}

/** Why an account that came with a link was not bound by it: it belongs to another tenant, or the link was made for another account. */
export const CONFLICT_REASONS = ['other_tenant', 'other_account'] as const;
export type ConflictReason = (typeof CONFLICT_REASONS)[number];

/** What an operator decides about such an account: it stays as it is, or it goes to the tenant of the link. */
export const RESOLUTIONS = ['keep', 'move'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Ties the account that came with a link to the link's tenant, once per link and account, whichever way the news comes first. */
@Injectable()
export class LinkBindings {
  private readonly componentAppId: string;

  constructor(
    @Inject(WECHAT_OPTIONS) platform: WechatOptions,
    private readonly outbox: EventOutbox,
    private readonly records: AuthorizerRecords,
  ) {
    this.componentAppId = platform.appId;
  }

  /** Binds by a code that a browser brought home to a link before its push, or before what the push leads to. */
  async bindByReturnedCode(tx: EntityManager, appId: string, code: string): Promise<void> {
    const [found] = await tx.query<{ linkId: string | null }[]>(
      'select link_id as "linkId" from returned_code where component_app_id = $1 and code_digest = $2',
      [this.componentAppId, digestOfCode(code)],
    );
    if (found?.linkId) await this.bind(tx, appId, found.linkId);
  }

  /** Binds by the pre-auth code that a push names. One that no link fetched is nobody's concern here. */
  async bindByPreAuthCode(tx: EntityManager, appId: string, preAuthCode: string): Promise<void> {
    const [found] = await tx.query<{ linkId: string }[]>(
      'select link_id as "linkId" from pre_auth_code where component_app_id = $1 and code_digest = $2',
      [this.componentAppId, digestOfPreAuthCode(preAuthCode)],
    );
    if (found) await this.bind(tx, appId, found.linkId);
  }

  /**
   * Binds the account to the link's tenant, unless it belongs to another, or the link was made for another account: WeChat's page is
   * asked for that one, but the answer is not ours to trust. Then the conflict is kept for an operator.
   */
  async bind(tx: EntityManager, appId: string, linkId: string): Promise<void> {
    const wanted = await this.wantedBy(tx, linkId);
    const isOtherAccount = wanted.requestedAppId !== null && wanted.requestedAppId !== appId;
    const [first] = await tx.query<unknown[]>(
      `insert into link_binding (component_app_id, link_id, app_id, conflict, conflict_tenant_id)
       values ($1, $2, $3, $4::text, case when $4::text is not null then
         (select tenant_id from authorizer where component_app_id = $1 and app_id = $3) end)
       on conflict do nothing returning link_id`,
      [this.componentAppId, linkId, appId, isOtherAccount ? 'other_account' : null],
    );
    if (!first || isOtherAccount) return;
    const other = await this.records.bind(tx, appId, wanted);
    if (other !== null) await this.noteConflict(tx, appId, linkId, other, wanted.tenantId!);
    await this.complete(tx, appId, linkId);
  }

  /**
   * Settles what an operator decided about an account that came with the link.
   *
   * @throws AuthorizerError NO_CONFLICT when nothing is to be decided about it, or it was settled before
   */
  async resolve(linkId: string, appId: string, resolution: Resolution, operator: string): Promise<void> {
    await this.outbox.transaction(async (tx) => {
      // The account before its bindings, as everybody takes them.
      if (resolution === 'move') await this.records.bind(tx, appId, await this.wantedBy(tx, linkId), { move: true });
      const [settled] = await tx.query<[unknown[], number]>(
        `update link_binding set resolution = $4, resolved_by = $5, resolved_at = now()
         where component_app_id = $1 and link_id = $2 and app_id = $3 and conflict is not null and resolution is null
         returning app_id`,
        [this.componentAppId, linkId, appId, resolution, operator],
      );
      if (settled.length === 0) throw new AuthorizerError('NO_CONFLICT');
      if (resolution === 'move') await this.complete(tx, appId, linkId);
    });
  }

  /** The link has done its work: the first account that it binds completes it. */
  private async complete(tx: EntityManager, appId: string, linkId: string): Promise<void> {
    await tx.query(
      `update authorization_link set completed_app_id = $3, completed_at = clock_timestamp()
       where component_app_id = $1 and id = $2 and completed_at is null`,
      [this.componentAppId, linkId, appId],
    );
  }

  private async noteConflict(
    tx: EntityManager,
    appId: string,
    linkId: string,
    tenantId: string,
    wantedTenantId: string,
  ): Promise<void> {
    await tx.query(
      `update link_binding set conflict = 'other_tenant', conflict_tenant_id = $4
       where component_app_id = $1 and link_id = $2 and app_id = $3`,
      [this.componentAppId, linkId, appId, tenantId],
    );
    await this.outbox.publish(tx, {
      type: 'authorizer.binding_conflict',
      componentAppId: this.componentAppId,
      authorizerAppId: appId,
      data: { tenantId, wantedTenantId, linkId },
    });
  }

  private async wantedBy(tx: EntityManager, linkId: string): Promise<Wanted> {
    const [binding] = await tx.query<[Wanted]>(
      `select tenant_id as "tenantId", state, requested_app_id as "requestedAppId" from authorization_link
       where component_app_id = $1 and id = $2`,
      [this.componentAppId, linkId],
    );
    return binding;
  }
}

/** WeChat's pages take the code with and without its prefix, so both are the same code. */
export function digestOfPreAuthCode(code: string): Buffer {
  return createHash('sha256')
    .update(code.replace(/^preauthcode@@@/, ''))
    .digest();
}
