import { Injectable } from '@nestjs/common';
import { Keyring } from '@app/keyring';
import { DataSource, type EntityManager } from 'typeorm';

/** The row an event's secrets are sealed for. */
export function secretsContext(eventId: string): string {
  return `event.secrets:${eventId}`;
}

/** The tickets and codes of pushes, which no event carries: read by the modules that use them up, then erased. */
@Injectable()
export class EventSecrets {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keyring: Keyring,
  ) {}

  /** The push's secrets by element name; empty once they are erased. */
  async open(eventId: string): Promise<Readonly<Record<string, string | undefined>>> {
    const [row] = await this.dataSource.query<{ secrets: string | null }[]>('select secrets from event where id = $1', [
      eventId,
    ]);
    if (!row?.secrets) return {};
    return JSON.parse(this.keyring.open(row.secrets, secretsContext(eventId))) as Record<string, string>;
  }

  /** Erases them for good, with the transaction in which they were used up. */
  async erase(tx: EntityManager, eventId: string): Promise<void> {
    await tx.query('update event set secrets = null where id = $1', [eventId]);
  }
}
