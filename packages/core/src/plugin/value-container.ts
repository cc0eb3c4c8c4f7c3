/**
 * @file The container of programs that have core's functional entry alone: values, factories and classes without parameters by token, which is what
 * plugins register. Core's index puts tsyringe's in its place (container.ts), which also injects what constructors ask for.
 */
import type { DependencyContainer } from 'tsyringe';
import { NotSupportedError } from '../errors.js';

export type { DependencyContainer };

type Token = Parameters<DependencyContainer['isRegistered']>[0];
interface Provider {
  readonly useValue?: unknown;
  readonly useFactory?: (container: DependencyContainer) => unknown;
  readonly useClass?: new () => unknown;
  readonly useToken?: Token;
}

const nameOf = (token: Token): string => (typeof token === 'function' ? token.name : typeof token === 'object' ? 'a token' : String(token));

class ValueContainer {
  readonly #providers = new Map<Token, Provider[]>();

  register(token: Token, provider: Provider | (new () => unknown)): this {
    const own: Provider = typeof provider === 'function' ? { useClass: provider } : provider;
    const { useClass } = own;
    if ((useClass?.length ?? 0) > 0 || !('useValue' in own || 'useFactory' in own || useClass || own.useToken))
      throw new NotSupportedError('ERR_INJECTION', `${nameOf(token)}: to have constructor parameters injected, import @tessera/core`);
    const list = this.#providers.get(token);
    if (list === undefined) this.#providers.set(token, [own]);
    else list.push(own);
    return this;
  }

  registerInstance(token: Token, useValue: unknown): this {
    return this.register(token, { useValue });
  }

  isRegistered(token: Token): boolean {
    return this.#providers.has(token);
  }

  #made({ useFactory, useClass, useToken, useValue }: Provider): unknown {
    if (useFactory) return useFactory(this as unknown as DependencyContainer);
    if (useClass) return new useClass();
    return useToken === undefined ? useValue : this.resolve(useToken);
  }

  resolveAll(token: Token): unknown[] {
    const list = this.#providers.get(token);
    if (list === undefined) throw new NotSupportedError('ERR_INJECTION', `nothing is registered as ${nameOf(token)}`);
    return list.map((provider) => this.#made(provider));
  }

  /** The one that was registered last. */
  resolve(token: Token): unknown {
    return this.resolveAll(token).at(-1);
  }

  reset(): void {
    this.#providers.clear();
  }

  async dispose(): Promise<void> {
    this.reset();
  }
}

/** How a runtime makes its container. */
export const containers: { make: () => DependencyContainer } = { make: () => new ValueContainer() as unknown as DependencyContainer };
