import { ApiGateway } from './api/api-gateway.js';
import { ControlApi } from './control/control-api.js';
import { controlPage } from './control/control-page.js';
import { type Handler, json } from './http.js';
import { HttpServer } from './http-server.js';
import { MerchantPages } from './merchant/merchant-pages.js';
import { type SandboxOptions } from './options.js';
import { TicketCadence } from './push/ticket-cadence.js';
import { World } from './world.js';

/** A running stand-in for WeChat. */
export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** The other side of the API, directly. */
  readonly world: World;
  close(): Promise<void>;
}

/**
 * Starts a stand-in for WeChat's third-party platform: component APIs, sealed pushes, authorization pages and a
 * page to play merchant from.
 *
 * @throws the system's error when the port is taken (EADDRINUSE).
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, ticketEverySeconds = 600 } = options;
  const world = new World(options);
  const gateway = new ApiGateway(world);
  const server = new HttpServer(routes(world, gateway));
  const boundPort = await server.listen(port, host);
  const cadence = new TicketCadence(ticketEverySeconds, async () => {
    if (world.pushes.url === null || world.pushes.isHolding) return null;
    const [push] = await world.pushTicket();
    return push?.accepted ?? false;
  });
  cadence.start();
  return {
    url: `http://${host}:${boundPort}`,
    port: boundPort,
    world,
    async close() {
      cadence.stop();
      gateway.close();
      await world.pushes.close();
      await server.close();
    },
  };
}

function routes(world: World, gateway: ApiGateway): Handler {
  const merchantPages = new MerchantPages(world);
  const controls = new ControlApi(world, gateway.paths);
  return async (request) => {
    const { path } = request;
    if (merchantPages.serves(path)) return merchantPages.handle(request);
    if (path === '/sandbox' || path.startsWith('/sandbox/')) return controls.handle(request);
    if (path.startsWith('/cgi-bin/')) return gateway.handle(request);
    return (await controlPage(path)) ?? json({ error: 'Not found' }, 404);
  };
}
