import { AsyncLocalStorage } from 'node:async_hooks';
import { type INestApplicationContext } from '@nestjs/common';
import { WechatClient } from '@app/wechat';
import { DataSource, type QueryRunner } from 'typeorm';

const CALLS = ['queryAuth', 'authorizerInfo', 'authorizerList', 'authorizerToken'] as const;

/** One run of some work, until its end or its death. */
class Life {
  isOver = false;
  readonly rollbacks = new Map<QueryRunner, () => Promise<void>>();
  private die!: () => void;
  private bury!: () => void;
  readonly death = new Promise<true>((resolve) => (this.die = () => resolve(true)));
  private readonly burial = new Promise<void>((resolve) => (this.bury = resolve));

  constructor(private stepsLeft: number) {}

  /** The answer of a step; who has died by then does not hear it, and nothing more. */
  async hear<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.isOver ? null : await ask();
    if (!this.isOver && this.stepsLeft-- > 0) return answer!;
    this.isOver = true;
    this.die();
    await this.burial;
    // Only so that what is in memory, and would be gone with the process, is given back.
    throw new Error('This work is dead');
  }

  /** Rolls back what was not committed. */
  async end(): Promise<void> {
    this.isOver = true;
    for (const rollback of this.rollbacks.values()) await rollback();
    this.bury();
  }
}

/**
 * Lets work of an application die as by kill -9, without the process: after any of its steps it does and hears nothing more, and what
 * it had not committed is rolled back. A step is one statement to the database, or one call of WeChat, that was answered.
 */
export class MortalWork {
  private readonly lives = new AsyncLocalStorage<Life>();

  constructor(app: INestApplicationContext) {
    this.makeStatementsMortal(app.get(DataSource));
    this.makeCallsMortal(app.get(WechatClient));
  }

  /** Runs `work` until its end, or until it has made so many steps; answers whether it died. What it throws before that is thrown. */
  async diesAfter(steps: number, work: () => Promise<unknown>): Promise<boolean> {
    const life = new Life(steps);
    const lived = this.lives.run(life, work);
    lived.catch(() => undefined);
    const hasDied = await Promise.race([life.death, lived.then(() => false)]);
    await life.end();
    return hasDied;
  }

  private makeStatementsMortal(dataSource: DataSource): void {
    const create = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => {
      const runner = create(mode);
      const life = this.lives.getStore();
      if (!life) return runner;
      const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
      const release = runner.release.bind(runner);
      life.rollbacks.set(runner, async () => {
        if (runner.isTransactionActive) await query('ROLLBACK');
        await release();
      });
      runner.query = ((...args: unknown[]) => life.hear(() => query(...args))) as QueryRunner['query'];
      runner.release = async () => {
        if (life.isOver) return;
        life.rollbacks.delete(runner);
        await release();
      };
      return runner;
    };
  }

  private makeCallsMortal(client: WechatClient): void {
    for (const name of CALLS) {
      const call = client[name].bind(client) as (...args: unknown[]) => Promise<unknown>;
      const mortal = (...args: unknown[]) => {
        const life = this.lives.getStore();
        return life ? life.hear(() => call(...args)) : call(...args);
      };
      Object.assign(client, { [name]: mortal });
    }
  }
}
