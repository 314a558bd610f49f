import { Injectable } from '@nestjs/common';
import { type DeliveryContext, type DomainEventOf, OnDomainEvent } from '@app/events';

/** Gives every merchant that authorizes a place in the CRM. An example of a neighbour: copy it. */
@Injectable()
export class TenantProvisioner {
  @OnDomainEvent('authorizer.authorized', { subscriber: 'crm.provision' })
  async provision(event: DomainEventOf<'authorizer.authorized'>, delivery: DeliveryContext): Promise<void> {
    await delivery.transaction((tx) =>
      tx.query(
        `insert into crm_tenant as t (component_app_id, app_id, tenant_id, position) values ($1, $2, $3, $4)
         on conflict (component_app_id, app_id) do update
         set authorizations = t.authorizations + 1, tenant_id = excluded.tenant_id, position = excluded.position
         where t.position < excluded.position`,
        [event.componentAppId, event.authorizerAppId, event.data.tenantId, delivery.position],
      ),
    );
  }
}
