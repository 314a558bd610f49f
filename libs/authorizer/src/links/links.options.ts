export const LINKS_OPTIONS = Symbol('links-options');

/** Where merchants find our pages. */
export interface LinksOptions {
  /** The origin merchants and WeChat see: the 授权发起页域名 of the platform. No slash at its end. */
  readonly publicBaseUrl: string;
  /** The origin that stands in for WeChat's authorization pages in development, or null for WeChat itself. */
  readonly pagesStandIn: string | null;
}
