import { type AnyEvent } from '@app/events';

/** An event as it leaves the process. @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** The authorizer's appid; events of the platform itself have none. */
  readonly subject?: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

/** The content type of the structured mode: attributes and data in one JSON document. */
export const STRUCTURED_JSON = 'application/cloudevents+json; charset=UTF-8';

export function toCloudEvent({ id, type, time, componentAppId, authorizerAppId, data }: AnyEvent): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: `/wechat/components/${encodeURIComponent(componentAppId)}`,
    type,
    ...(authorizerAppId === null ? {} : { subject: authorizerAppId }),
    time,
    datacontenttype: 'application/json',
    data,
  };
}

/** The attributes as headers, for consumers that route without reading the body. */
export function attributeHeaders(prefix: string, event: CloudEvent): Record<string, string> {
  const { data: _, datacontenttype: __, ...attributes } = event;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]));
}
