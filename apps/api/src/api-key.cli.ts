import { createApiKey, isRole, ROLES } from '@app/access';

const USAGE = `usage: npm run api-key -- NAME ROLE

Prints a new key and its entry for ADMIN_API_KEYS. NAME is for the audit: letters, digits and . _ @ + -.
ROLE is one of ${ROLES.join(', ')}.`;

function main([name, role, ...rest]: string[]): number {
  if (!name || !isRole(role) || rest.length > 0) {
    console.error(USAGE);
    return 2;
  }
  try {
    const { key, entry } = createApiKey(name, role);
    console.log(`The key, shown this once. Keep it where secrets are kept:\n\n  ${key}\n`);
    console.log(`Its entry; append it to ADMIN_API_KEYS, after a comma, and restart:\n\n  ${entry}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}

process.exitCode = main(process.argv.slice(2));
