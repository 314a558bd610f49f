import { type DynamicModule, Module } from '@nestjs/common';
import { CallerController } from './caller.controller.js';
import { ConsoleController } from './console.controller.js';
import { ConsoleFiles } from './console-files.js';

@Module({})
export class ConsoleModule {
  /** @param folder where the console was built */
  static register(folder: string): DynamicModule {
    return {
      module: ConsoleModule,
      controllers: [CallerController, ConsoleController],
      providers: [{ provide: ConsoleFiles, useFactory: () => new ConsoleFiles(folder) }],
    };
  }
}
