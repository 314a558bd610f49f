import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire between us and a server that a test can cut, or let hang. */
export interface TcpProxy {
  readonly port: number;
  /** `open` passes everything on, `hanging` takes connections and bytes and passes nothing on, `cut` refuses and breaks connections. */
  become(state: 'open' | 'hanging' | 'cut'): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let state: 'open' | 'hanging' | 'cut' = 'open';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    if (state === 'hanging') socket.pause();
    return socket;
  };
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    keep(client);
    const upstream = keep(connect(target));
    client.pipe(upstream).pipe(client);
    if (state === 'hanging') client.unpipe().pause();
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    become(next) {
      state = next;
      for (const socket of sockets) {
        if (next === 'cut') socket.destroy();
        else if (next === 'hanging') socket.pause();
        else socket.resume();
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
