/** The chapters of the document in their order, each with the controllers whose routes it holds. */
export const CHAPTERS: Readonly<Record<string, { readonly about: string; readonly controllers: readonly string[] }>> = {
  Authorizers: { about: 'Who has authorized the platform', controllers: ['Authorizers', 'Sync', 'Export'] },
  Links: { about: 'Links that lead merchants to authorize', controllers: ['Links'] },
  Events: { about: 'What WeChat pushed, and who was told', controllers: ['Events', 'Deliveries'] },
  Platform: { about: 'How the platform as a whole is', controllers: ['Platform', 'Audit', 'Caller'] },
  Tokens: { about: 'For services outside the process', controllers: ['AccessTokens'] },
  'From WeChat': { about: 'Where pushes arrive', controllers: ['WechatCallback'] },
  'For merchants': { about: 'The pages they see', controllers: ['Merchant'] },
  'For machines': {
    about: 'Probes, metrics, and the events by AsyncAPI',
    controllers: ['Health', 'Metrics', 'EventDocument'],
  },
};

/** The chapter of a controller's routes. */
export function chapterOf(controller: string): string {
  const found = Object.entries(CHAPTERS).find(([, { controllers }]) => controllers.includes(controller));
  return found?.[0] ?? controller;
}
