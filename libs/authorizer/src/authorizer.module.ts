import { Module } from '@nestjs/common';
import { AuditController } from './admin/audit.controller.js';
import { AuthorizersController } from './admin/authorizers.controller.js';
import { AuditInterceptor } from './audit/audit.interceptor.js';
import { AuditLog } from './audit/audit-log.js';
import { DeliveriesController } from './admin/deliveries.controller.js';
import { EventsController } from './admin/events.controller.js';
import { ExportController } from './admin/export.controller.js';
import { PlatformController } from './admin/platform.controller.js';
import { SyncController } from './admin/sync.controller.js';
import { AuthorizationListener } from './authorization.listener.js';
import { AuthorizerProfiles } from './authorizer-profiles.js';
import { AuthorizerRecords } from './authorizer-records.js';
import { AuthorizerService } from './authorizer.service.js';
import { AuthorizerTokenService } from './authorizer-token.service.js';
import { CodeExchange } from './code-exchange.js';
import { CredentialRecovery } from './credential-recovery.js';
import { CredentialStore } from './credential-store.js';
import { AuthorizerExport } from './export/authorizer-export.js';
import { AccessTokensController } from './internal/access-tokens.controller.js';
import { HandOuts } from './internal/hand-outs.js';
import { AuthorizationLinks } from './links/authorization-links.service.js';
import { LinkBindings } from './links/link-bindings.js';
import { LinkStore } from './links/link-store.js';
import { LinksController } from './links/links.controller.js';
import { MerchantController } from './links/merchant.controller.js';
import { PreAuthCodes } from './links/pre-auth-codes.js';
import { ReturnedCodeListener } from './links/returned-code.listener.js';
import { ReturnedCodes } from './links/returned-codes.js';
import { PlatformStatus } from './platform-status.js';
import { AuthorizerSync } from './reconcile/authorizer-sync.js';
import { ReconciledRecords } from './reconcile/reconciled-records.js';
import { Reconciler } from './reconcile/reconciler.js';
import { Reconciliation } from './reconcile/reconciliation.js';
import { SyncRuns } from './reconcile/sync-runs.js';
import { CredentialWatch } from './tokens/credential-watch.js';
import { RecentlyAsked } from './tokens/recently-asked.js';
import { ReportedTokens } from './tokens/reported-tokens.js';
import { TokenCache } from './tokens/token-cache.js';
import { TokenKeeper } from './tokens/token-keeper.js';
import { TokenRefresher } from './tokens/token-refresher.js';

/** Who has authorized the platform: keeps the records, and answers admins and neighbours about them. */
@Module({
  controllers: [
    AccessTokensController,
    AuditController,
    AuthorizersController,
    DeliveriesController,
    EventsController,
    ExportController,
    LinksController,
    MerchantController,
    PlatformController,
    SyncController,
  ],
  providers: [
    AuditInterceptor,
    AuditLog,
    AuthorizationListener,
    AuthorizerExport,
    AuthorizerProfiles,
    AuthorizerRecords,
    AuthorizerService,
    AuthorizerSync,
    AuthorizerTokenService,
    CodeExchange,
    CredentialRecovery,
    CredentialStore,
    CredentialWatch,
    HandOuts,
    LinkBindings,
    LinkStore,
    AuthorizationLinks,
    PreAuthCodes,
    ReturnedCodeListener,
    ReturnedCodes,
    PlatformStatus,
    ReconciledRecords,
    Reconciler,
    Reconciliation,
    SyncRuns,
    { provide: RecentlyAsked, useFactory: () => new RecentlyAsked() },
    { provide: TokenCache, useFactory: () => new TokenCache() },
    ReportedTokens,
    TokenKeeper,
    TokenRefresher,
  ],
  exports: [AuditInterceptor, AuthorizerService, AuthorizerTokenService],
})
export class AuthorizerModule {}
