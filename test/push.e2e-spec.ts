import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { type Answer, TestPlatform } from './support/platform.js';
import { eventually } from './support/eventually.js';
import { eventXml, sandboxCrypt, seal, type SealedPush, signed } from './support/sealed-push.js';

const PATH = '/social/with/wechat/receiveEvent';

interface Event {
  id: string;
  infoType: string;
  status: string;
  createTime: string | null;
  authorizerAppId: string | null;
  receivedAt: string;
  processedAt: string | null;
  lastError: string | null;
}

interface Refusal {
  code: unknown;
  status: number;
}

describe('the push URL', () => {
  let t: TestPlatform;
  beforeAll(async () => {
    t = await TestPlatform.start({ ticket: false });
  });
  afterAll(async () => {
    await t.stop();
  });

  const send = async ({ query, body }: SealedPush, init: RequestInit = {}, url = t.url): Promise<Answer<Refusal>> => {
    const response = await fetch(`${url}${PATH}?${new URLSearchParams(query).toString()}`, {
      method: 'POST',
      body,
      ...init,
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as Refusal,
    };
  };
  const events = async (infoType: string) =>
    (await t.get<{ items: Event[] }>(`/admin/wechat/events?infoType=${encodeURIComponent(infoType)}`)).body.items;
  const countEvents = async () => Number((await t.query<{ count: string }>('select count(*) from event'))[0]?.count);

  describe('accepts', () => {
    it('an authentic push, with the 7 bytes that WeChat expects', async () => {
      const answer = await send(seal(eventXml('first_seen_today')));
      expect(answer).toMatchObject({ status: 200, text: 'success' });
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(answer.headers.get('content-length')).toBe('7');
    });

    it.each([
      'text/xml',
      'application/xml; charset=utf-8',
      'application/json',
      'application/x-www-form-urlencoded',
      'no/such;;type',
      '',
    ])('the content type %j', async (type) => {
      const push = seal(eventXml('content_type', { n: type.length }));
      expect(await send(push, { headers: { 'content-type': type } })).toMatchObject({ status: 200, text: 'success' });
    });

    it('query parameters it does not know', async () => {
      const push = seal(eventXml('extra_parameters'));
      expect(await send({ ...push, query: { ...push.query, a: '1', openid: 'o' } })).toMatchObject({ status: 200 });
    });

    it('an InfoType nobody has seen before, and keeps what it says', async () => {
      await send(seal(eventXml('notify_of_tomorrow', { Big: '12345678901234567890', __proto: 'x' })));
      const [event] = await events('notify_of_tomorrow');
      expect(event).toMatchObject({ status: 'processed', lastError: null, processedAt: event!.receivedAt });
      const { body } = await t.get<{ fields: object }>(`/admin/wechat/events/${event?.id}`);
      expect(body.fields).toMatchObject({ Big: '12345678901234567890', __proto: 'x' });
    });

    it('an InfoType with blanks in it, and a long one', async () => {
      for (const infoType of ['a b', '新 事件', 'x'.repeat(500)]) {
        expect(await send(seal(eventXml(infoType)))).toMatchObject({ status: 200, text: 'success' });
      }
      expect(await events('a b')).toHaveLength(1);
    });

    it('element names that mean something to JavaScript, as data', async () => {
      const names = { __proto__x: '1', constructor: '2', toString: '3', hasOwnProperty: '4' };
      const xml = eventXml('hostile_names', names).replaceAll('__proto__x', '__proto__');
      expect(await send(seal(xml))).toMatchObject({ status: 200 });
      const [event] = await events('hostile_names');
      const { text } = await t.get(`/admin/wechat/events/${event?.id}`);
      expect(text).toContain('"__proto__":"1"');
      expect(text).toContain('"constructor":"2"');
    });

    it('an event without a usable CreateTime, which then has none', async () => {
      for (const [index, createTime] of ['', '0', '-1', '9'.repeat(30), 'yesterday', '4102444800'].entries()) {
        await send(seal(eventXml(`no_time_${index}`, { CreateTime: createTime })));
        expect(await events(`no_time_${index}`)).toMatchObject([{ createTime: null }]);
      }
    });

    it.each(['AuthorizerAppid', 'appid', 'authorizer_appid', 'verify_appid'])(
      'the account in <%s>',
      async (element) => {
        await send(seal(eventXml(`about_${element}`, { [element]: 'wx1234567890abcdef' })));
        expect(await events(`about_${element}`)).toMatchObject([{ authorizerAppId: 'wx1234567890abcdef' }]);
      },
    );

    it.each([
      ['component_verify_ticket', {}],
      ['component_verify_ticket', { ComponentVerifyTicket: '' }],
      ['authorized', { AuthorizationCode: 'code' }],
      ['authorized', { AuthorizerAppid: 'wx0000000000000001' }],
      ['unauthorized', { AuthorizerAppid: '' }],
    ])('a %s that lacks what it needs, as failed and without effect: %j', async (infoType, elements) => {
      const before = await t.query('select count(*) from authorizer');
      await send(seal(eventXml(infoType, { ...elements, nonce: randomBytes(4).toString('hex') })));
      const [event] = await events(infoType);
      expect(event).toMatchObject({ status: 'failed', lastError: expect.stringMatching(/missing/) as string });
      expect(await t.query('select count(*) from authorizer')).toEqual(before);
    });
  });

  describe('stores the same content once', () => {
    const rows = (infoType: string) => t.query('select id from event where type = $1', [`wechat.${infoType}`]);

    it('when it is repeated byte by byte', async () => {
      const push = seal(eventXml('repeated'));
      for (let i = 0; i < 3; i += 1) expect(await send(push)).toMatchObject({ status: 200, text: 'success' });
      expect(await rows('repeated')).toHaveLength(1);
    });

    it('when it is sealed anew, in parallel', async () => {
      const xml = eventXml('parallel');
      const answers = await Promise.all(Array.from({ length: 40 }, () => send(seal(xml))));
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 success']));
      expect(await rows('parallel')).toHaveLength(1);
    });

    it('but keeps what differs by a second', async () => {
      await send(seal(eventXml('seconds', { CreateTime: 1_700_000_000 })));
      await send(seal(eventXml('seconds', { CreateTime: 1_700_000_001 })));
      expect(await rows('seconds')).toHaveLength(2);
    });
  });

  describe('refuses', () => {
    const expectRefused = async (push: SealedPush, status: number, code?: unknown) => {
      const before = await countEvents();
      const answer = await send(push);
      expect(answer).toMatchObject({
        status,
        body: { type: 'about:blank', status, title: expect.any(String) as string },
      });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      if (code !== undefined) expect(answer.body.code).toBe(code);
      expect(await countEvents()).toBe(before);
      return answer;
    };
    const now = () => Math.floor(Date.now() / 1000);

    it.each(['signature', 'timestamp', 'nonce', 'encrypt_type', 'msg_signature'])('a push without %s', async (name) => {
      const push = seal(eventXml('refused'));
      delete push.query[name];
      await expectRefused(push, 400, 'MISSING_PARAMETER');
    });

    it.each([
      ['nothing', ''],
      ['JSON', '{"AppId":"wx","Encrypt":"x"}'],
      ['half an element', '<xml><AppId>'],
      ['another root', '<html><AppId>a</AppId><Encrypt>b</Encrypt></html>'],
      ['no AppId', '<xml><Encrypt>b</Encrypt></xml>'],
      ['an empty AppId', '<xml><AppId></AppId><Encrypt>b</Encrypt></xml>'],
      ['no Encrypt', '<xml><AppId>a</AppId></xml>'],
      ['a DOCTYPE', '<!DOCTYPE xml><xml><AppId>a</AppId><Encrypt>b</Encrypt></xml>'],
      ['an entity', '<!DOCTYPE x [<!ENTITY e "b">]><xml><AppId>a</AppId><Encrypt>&e;</Encrypt></xml>'],
      ['something after the root', '<xml><AppId>a</AppId><Encrypt>b</Encrypt></xml><xml/>'],
    ])('a body with %s', async (_what, body) => {
      await expectRefused({ ...seal(eventXml('refused')), body }, 400);
    });

    it('another encryption', async () => {
      const push = seal(eventXml('refused'));
      await expectRefused({ ...push, query: { ...push.query, encrypt_type: 'raw' } }, 400, 'UNSUPPORTED_ENCRYPT_TYPE');
    });

    it.each(['170000000', '17000000000', 'tomorrow!!', '1e9       ', '１７０００００００0'])(
      'the timestamp %j',
      async (timestamp) => {
        const push = seal(eventXml('refused'));
        await expectRefused({ ...push, query: { ...push.query, timestamp } }, 401, 'TIMESTAMP_MALFORMED');
      },
    );

    it('a push that was signed over a day ago or in over a day, even rightly', async () => {
      await expectRefused(seal(eventXml('refused'), { timestamp: now() - 86_460 }), 401, 'TIMESTAMP_OUT_OF_RANGE');
      await expectRefused(seal(eventXml('refused'), { timestamp: now() + 86_460 }), 401, 'TIMESTAMP_OUT_OF_RANGE');
      expect(await send(seal(eventXml('just_in_time'), { timestamp: now() - 86_340 }))).toMatchObject({ status: 200 });
    });

    it('a signature under another token, and one that is right only in the unused parameter', async () => {
      await expectRefused(seal(eventXml('refused'), { token: 'another' }), 401, -40001);
      const push = seal(eventXml('refused'));
      await expectRefused({ ...push, query: { ...push.query, msg_signature: push.query.signature! } }, 401, -40001);
    });

    it('what is rightly signed and wrongly sealed', async () => {
      await expectRefused(signed('not base64!'), 400, -40010);
      await expectRefused(signed(randomBytes(48).toString('base64')), 400, -40007);
      await expectRefused(seal(eventXml('refused'), { encodingAesKey: 'A'.repeat(43) }), 400, -40008);
      await expectRefused(seal(eventXml('refused'), { appId: 'wxsomebodyelse' }), 400, -40005);
      await expectRefused(seal('<xml><MsgType>text</MsgType></xml>'), 400, -40002);
      await expectRefused(seal('<!DOCTYPE xml><xml><InfoType>x</InfoType></xml>'), 400, -40002);
    });

    it('a body over 64 KiB, and takes one of exactly that', async () => {
      const push = seal(eventXml('as_large_as_allowed'));
      const pad = (bytes: number) =>
        push.body.replace('</xml>', `${' '.repeat(bytes - Buffer.byteLength(push.body))}</xml>`);
      await expectRefused({ ...push, body: pad(65_537) }, 413);
      expect(await send({ ...push, body: pad(65_536) })).toMatchObject({ status: 200 });
    });

    it('every push with a byte of its ciphertext or signature changed', async () => {
      const push = seal(eventXml('mutated'));
      const start = push.body.indexOf('<Encrypt><![CDATA[') + '<Encrypt><![CDATA['.length;
      const end = push.body.indexOf(']]></Encrypt>');
      const change = (text: string, at: number, by: string) => text.slice(0, at) + by + text.slice(at + 1);
      const character = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 });
      const body = fc
        .tuple(fc.integer({ min: start, max: end - 1 }), character)
        .filter(([at, by]) => push.body[at] !== by && by !== '<' && by !== ']')
        .map(([at, by]) => ({ ...push, body: change(push.body, at, by) }));
      const query = fc
        .tuple(fc.constantFrom('msg_signature', 'timestamp', 'nonce'), fc.nat(), character)
        .map(([name, at, by]) => ({ name, value: change(push.query[name]!, at % push.query[name]!.length, by) }))
        .filter(({ name, value }) => value !== push.query[name])
        .map(({ name, value }) => ({ ...push, query: { ...push.query, [name]: value } }));
      await fc.assert(
        fc.asyncProperty(fc.oneof(body, query), async (spoilt) => {
          expect([400, 401]).toContain((await send(spoilt)).status);
        }),
        { numRuns: 300 },
      );
      expect(await events('mutated')).toEqual([]);
    }, 60_000);
  });

  it('answers any input whatsoever with less than a 500, and goes on', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      fc
        .array(
          fc.constantFrom(
            '<',
            '>',
            '&',
            '<xml>',
            '</xml>',
            '<a>',
            '<![CDATA[',
            ']]>',
            '<!DOCTYPE',
            '&#0;',
            '&#xD800;',
            'x',
          ),
          { maxLength: 400 },
        )
        .map((parts) => parts.join('')),
    );
    const query = fc.dictionary(
      fc.constantFrom('signature', 'timestamp', 'nonce', 'encrypt_type', 'msg_signature', 'echostr'),
      text,
    );
    const sealedAnything = text.map((xml) => seal(xml));
    await fc.assert(
      fc.asyncProperty(fc.oneof(sealedAnything, fc.record({ query, body: text })), async (push) => {
        expect((await send(push)).status).toBeLessThan(500);
      }),
      { numRuns: 400 },
    );
    expect(await send(seal(eventXml('still_here')))).toMatchObject({ status: 200, text: 'success' });
  }, 60_000);

  it('keeps deep and wide hostile events from doing harm', async () => {
    const bombs = ['<a>'.repeat(6000), `<xml><InfoType>x</InfoType>${'<a/>'.repeat(9000)}</xml>`, '&amp;'.repeat(9000)];
    for (const bomb of bombs) expect((await send(seal(bomb))).status).toBeLessThan(500);
  });

  it('counts by InfoType what it accepted, and as one whatever WeChat is not known to send', async () => {
    const push = seal(eventXml('wxa_nickname_audit'));
    for (let time = 0; time < 3; time += 1) await send(push);
    await send(seal(eventXml('a_name_of_nobodys')));
    const { text } = await t.get('/metrics', null);
    expect(text).toContain('wechat_pushes_total{info_type="wxa_nickname_audit",outcome="stored"} 1\n');
    expect(text).toContain('wechat_pushes_total{info_type="wxa_nickname_audit",outcome="repeated"} 2\n');
    expect(text).toMatch(/wechat_pushes_total\{info_type="other",outcome="stored"\} \d+\n/);
    expect(text).not.toContain('a_name_of_nobodys');
  });

  describe('probed by a load balancer', () => {
    it('answers GET and HEAD', async () => {
      for (const method of ['GET', 'HEAD']) {
        const { status } = await fetch(`${t.url}${PATH}`, { method });
        expect(status).toBe(200);
      }
    });

    it('echoes what is rightly signed, and nothing else', async () => {
      const { query } = seal('');
      const echo = (parameters: Record<string, string>) =>
        fetch(`${t.url}${PATH}?${new URLSearchParams(parameters).toString()}`).then(async (r) => [
          r.status,
          await r.text(),
        ]);
      const plain: Record<string, string> = { ...query, msg_signature: '', echostr: '<b>5761</b>' };
      expect(await echo(plain)).toEqual([200, '<b>5761</b>']);
      expect((await echo({ ...plain, signature: '0'.repeat(40) }))[0]).toBe(401);
      const echostr = sandboxCrypt().encrypt('5761');
      const sealed = { ...signed(echostr).query, signature: '', echostr };
      expect(await echo(sealed)).toEqual([200, '5761']);
      expect((await echo({ ...sealed, echostr: sandboxCrypt().encrypt('5761') }))[0]).toBe(401);
    });
  });

  it('shows operators what was refused and what to check, never a secret', async () => {
    await send(seal(eventXml('refused'), { token: 'another' }));
    interface Rejections {
      items: { reason: string; check: string }[];
      counts: { reason: string; count: number; check: string }[];
    }
    const { body, text } = await t.get<Rejections>('/admin/wechat/rejections');
    expect(body.items[0]).toMatchObject({
      reason: 'SIGNATURE_MISMATCH',
      check: expect.stringContaining('WECHAT_TOKEN') as string,
    });
    expect(body.counts.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['SIGNATURE_MISMATCH', 'BODY_TOO_LARGE', 'BAD_PADDING']),
    );
    expect(text).not.toContain('sandboxtoken');
    const first = await t.get<{ items: unknown[]; nextCursor: string }>('/admin/wechat/rejections?limit=2');
    const next = await t.get<Rejections>(`/admin/wechat/rejections?limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...next.body.items]).toEqual(body.items.slice(0, 4));
  });

  it('lists refusals the newest first, also where their numbers become one digit longer', async () => {
    const listed = async (query: string) =>
      (await t.get<{ items: { reason: string }[]; nextCursor: string }>(`/admin/wechat/rejections${query}`)).body;
    await listed(''); // Now all that came before is written down.
    await t.query(`select setval(pg_get_serial_sequence('push_rejection', 'id'), 99998)`);
    await send(seal(eventXml('refused'), { token: 'another' }));
    await send({ ...seal(eventXml('refused')), body: 'not xml' });
    const newest = ['MALFORMED_ENVELOPE', 'SIGNATURE_MISMATCH'];
    expect((await listed('?limit=2')).items.map(({ reason }) => reason)).toEqual(newest);
    const first = await listed('?limit=1');
    const second = await listed(`?limit=1&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ reason }) => reason)).toEqual(newest);
  });

  it('remembers the last 200 refusals and no more, because anybody can cause them', async () => {
    await t.query(
      `insert into push_rejection (component_app_id, reason, rejected_at, remote_address, body_bytes)
       select $1, 'BAD_PADDING', now(), '192.0.2.1', 1 from generate_series(1, 300)`,
      [t.env.platform.appId],
    );
    await send(seal(eventXml('one_too_many'), { token: 'another' }));
    await eventually(async () => {
      const kept = await t.query<{ reason: string }>('select reason from push_rejection order by id');
      expect(kept).toHaveLength(200);
      expect(kept.at(-1)).toEqual({ reason: 'SIGNATURE_MISMATCH' });
    });
  });
});
