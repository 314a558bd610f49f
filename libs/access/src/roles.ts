/** Who may do what: `viewer` reads, `operator` also acts, `service` uses /internal and nothing else. */
export const ROLES = ['viewer', 'operator', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** Who sent a request, once that is established. */
export interface AccessCaller {
  /** The name of the API key, or the subject the identity provider knows. */
  readonly name: string;
  readonly role: Role;
  readonly kind: 'api-key' | 'oidc';
}

export function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value);
}

/** Whether who holds `held` may do what needs `needed`. Only an operator is also something else: a viewer. */
export function covers(held: Role, needed: Role): boolean {
  return held === needed || (held === 'operator' && needed === 'viewer');
}
