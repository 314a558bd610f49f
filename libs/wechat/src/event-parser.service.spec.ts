import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { EventParserService, type PushEvent } from './event-parser.service.js';
import { CPP_MESSAGE, PLATFORM_MESSAGE, PYTHON_MESSAGE } from './fixtures/published-vectors.js';
import { PushRejected, type RejectionReason } from './rejection.js';

const parser = new EventParserService();

const recorded = (name: string): PushEvent => parser.parse(readFileSync(join(__dirname, 'fixtures', name), 'utf8'));

/** An event with these elements besides its InfoType. */
const event = (inner: string, infoType = 'something_new') =>
  `<xml><InfoType><![CDATA[${infoType}]]></InfoType>${inner}</xml>`;

/** The fields beside InfoType, through JSON as they go to the database. */
function fieldsOf(inner: string): unknown {
  const { InfoType: _, ...fields } = parser.parse(event(inner)).fields;
  return JSON.parse(JSON.stringify(fields));
}

function catching(work: () => unknown): PushRejected {
  try {
    work();
  } catch (error) {
    if (error instanceof PushRejected) return error;
    throw error;
  }
  throw new Error('It was accepted');
}

const rejection = (work: () => unknown): RejectionReason => catching(work).reason;

const utc = (seconds: number) => new Date(seconds * 1000);

describe('EventParserService reads what WeChat has sent', () => {
  it('a ticket', () => {
    expect(recorded('component_verify_ticket.2015.xml')).toEqual({
      infoType: 'component_verify_ticket',
      authorizerAppId: null,
      createTime: utc(1445308253),
      fields: { AppId: 'wx9eeba14a01d3807f', CreateTime: '1445308253', InfoType: 'component_verify_ticket' },
      secrets: {
        ComponentVerifyTicket:
          'ticket@@@1S8ekCXqBTTCMFLI9ekk2jh8u3NyelwnQoc_Rbpr3X0gKlGiYKhlQrERhGOrsGJ3OcQnWuszOI7iLwe-KaMIVA',
      },
      failure: null,
    });
  });

  it('an authorization of 2016, without a pre-auth code', () => {
    expect(recorded('authorized.2016.xml')).toEqual({
      infoType: 'authorized',
      authorizerAppId: '211',
      createTime: utc(1413192605),
      fields: {
        AppId: '1',
        CreateTime: '1413192605',
        InfoType: 'authorized',
        AuthorizerAppid: '211',
        AuthorizationCodeExpiredTime: '1463624918',
      },
      secrets: { AuthorizationCode: 'query' },
      failure: null,
    });
  });

  it('the authorization and revocation of a release check', () => {
    expect(recorded('authorized.2017.xml')).toMatchObject({
      infoType: 'authorized',
      authorizerAppId: 'wxd101a85aa106f53e',
      createTime: utc(1496461020),
      fields: { AuthorizationCodeExpiredTime: '1496464620' },
      secrets: {
        AuthorizationCode:
          'queryauthcode@@@x4BhekqBmEo3mSUXr6eu3g4xnKLlG4zK6QXJRJTP_F5Kk5Olu2PxjswYSdRuAi2Ydj4cpMHExaBVJeyrMMa8IQ',
      },
      failure: null,
    });
    expect(recorded('unauthorized.2017.xml')).toEqual({
      infoType: 'unauthorized',
      authorizerAppId: 'wxd101a85aa106f53e',
      createTime: utc(1496461034),
      fields: {
        AppId: 'wxb3d033d520d15fe7',
        CreateTime: '1496461034',
        InfoType: 'unauthorized',
        AuthorizerAppid: 'wxd101a85aa106f53e',
      },
      secrets: {},
      failure: null,
    });
  });

  it('an update of an authorization, with both codes', () => {
    const { fields, secrets, failure } = recorded('updateauthorized.2019.xml');

    expect(Object.keys(fields)).toEqual([
      'AppId',
      'CreateTime',
      'InfoType',
      'AuthorizerAppid',
      'AuthorizationCodeExpiredTime',
    ]);
    expect(secrets).toEqual({
      AuthorizationCode:
        'queryauthcode@@@SozCwT_ve8WQI6Poum-qdG_rFKaepJCyhL-zx1OkvsxmmJkbZadF78t3U9lh20IaWFqb2DcLne7MGVICr5eRfQ',
      PreAuthCode: 'preauthcode@@@ivkKNYhiXXsDFLBmH2ccOCg6doXsD_RdQOS7Cxw5GoILrdQktfx_glIzmhWQrMyT',
    });
    expect(failure).toBeNull();
  });

  it('a registration, which is about the new mini program and brings its code', () => {
    expect(recorded('notify_third_fasteregister.doc.xml')).toMatchObject({
      authorizerAppId: '创建小程序appid',
      fields: {
        AppId: '第三方平台appid',
        appid: '创建小程序appid',
        status: '0',
        msg: 'OK',
        info: {
          name: '企业名称',
          code: '企业代码',
          code_type: '1',
          legal_persona_wechat: '法人微信号',
          legal_persona_name: '法人姓名',
          component_phone: '第三方联系电话',
        },
      },
      secrets: { auth_code: 'xxxxx第三方授权码' },
      failure: null,
    });
  });

  it('a failed registration, which is complete without an appid and a code', () => {
    expect(recorded('notify_third_fasteregister.2023.xml')).toMatchObject({
      authorizerAppId: null,
      fields: { status: '-1', msg: 'authorize third party failed' },
      secrets: {},
      failure: null,
    });
  });

  it('a step of a verification', () => {
    expect(recorded('notify_3rd_wxa_auth.doc.xml')).toMatchObject({
      infoType: 'notify_3rd_wxa_auth',
      authorizerAppId: 'wxaf614423g25ffd9b',
      fields: {
        AppId: 'wx31f828cesdfa4eabc',
        task_status: '0',
        dispatch_info: {
          provider: '上海倍通企业信用征信有限公司(测试)',
          contact: '热线电话：0086-13249064176，咨询时间：周一至周五（工作日）8：30-17：30。',
          dispatch_time: '1700619300',
        },
      },
    });
  });

  it('a reminder, whose message has line breaks within and blanks around', () => {
    const { message } = recorded('notify_3rd_wxa_wxverify.doc.xml').fields;

    expect(message).toMatch(/^账号名称: 我的小程序名\n到期时间: 2024年1月2日\n详情: .*支付功能。$/);
  });

  it('an audit with a single entry, which is a list all the same', () => {
    expect(recorded('order_path_audit_result_notify.2023.xml')).toMatchObject({
      authorizerAppId: null,
      fields: {
        list: [
          {
            appid: 'wxc736b9251b3c6c41',
            audit_id: '12131',
            status: '4',
            apply_time: '1699866317',
            audit_time: '1701157985',
            reason: '',
          },
        ],
      },
    });
  });

  it.each([PYTHON_MESSAGE, CPP_MESSAGE, PLATFORM_MESSAGE])(
    'but no message for an authorizer, which has no InfoType: $source',
    ({ plaintext }) => {
      expect(rejection(() => parser.parse(plaintext))).toBe('MALFORMED_EVENT');
    },
  );
});

describe('EventParserService reads an envelope', () => {
  const parts = '<AppId><![CDATA[wx9eeba14a01d3807f]]></AppId><Encrypt><![CDATA[wlHfmisYl+ktVgWb==]]></Encrypt>';
  const envelope = { appId: 'wx9eeba14a01d3807f', ciphertext: 'wlHfmisYl+ktVgWb==' };

  it.each([
    ['on one line', `<xml>${parts}</xml>`],
    ['with line feeds and indents', `<xml>\n    ${parts.replace('><E', '>\n    <E')}\n</xml>\n`],
    [
      'with blanks around the values',
      `<xml>${parts.replaceAll('<![', '\r\n\t <![').replaceAll(']]>', ']]> \n')}</xml>`,
    ],
    ['without CDATA', `<xml>${parts.replaceAll(/<!\[CDATA\[|\]\]>/g, '')}</xml>`],
    ['with a prolog', `<?xml version="1.0" encoding="UTF-8"?>\n<xml>${parts}</xml>`],
    ['with a byte order mark', `\uFEFF<?xml version="1.0"?><xml>${parts}</xml>`],
    ['with the elements the other way round', `<xml>${parts.replace(/(.*)(<Encrypt.*)/, '$2$1')}</xml>`],
    ['with ToUserName and attributes', `<xml a="1"><ToUserName b='&lt;'>gh_1</ToUserName>${parts}</xml>`],
    ['with comments and instructions around', `<!-- a --><?b c?><xml>${parts}<!----></xml><!-- d --> <?e?>\n`],
  ])('%s', (_case, body) => {
    expect(parser.parseEnvelope(body)).toEqual(envelope);
  });

  it.each<[string, RejectionReason, string]>([
    ['no AppId', 'MISSING_APP_ID', '<xml><Encrypt>x</Encrypt></xml>'],
    ['an empty AppId', 'MISSING_APP_ID', '<xml><AppId> </AppId><Encrypt>x</Encrypt></xml>'],
    ['another spelling of AppId', 'MISSING_APP_ID', '<xml><appid>a</appid><Encrypt>x</Encrypt></xml>'],
    ['nothing in it', 'MISSING_APP_ID', '<xml/>'],
    ['only text in it', 'MISSING_APP_ID', '<xml>wx1</xml>'],
    ['no Encrypt', 'MISSING_ENCRYPT', '<xml><AppId>a</AppId></xml>'],
    ['an empty Encrypt', 'MISSING_ENCRYPT', '<xml><AppId>a</AppId><Encrypt><![CDATA[]]></Encrypt></xml>'],
    ['two of Encrypt', 'MALFORMED_ENVELOPE', '<xml><AppId>a</AppId><Encrypt>x</Encrypt><Encrypt>y</Encrypt></xml>'],
    ['elements in AppId', 'MALFORMED_ENVELOPE', '<xml><AppId><a>b</a></AppId><Encrypt>x</Encrypt></xml>'],
    ['another root', 'MALFORMED_ENVELOPE', '<XML><AppId>a</AppId><Encrypt>x</Encrypt></XML>'],
    ['a great many elements', 'MALFORMED_ENVELOPE', `<xml>${parts}${'<a/>'.repeat(64)}</xml>`],
    ['a body of JSON', 'MALFORMED_ENVELOPE', '{"AppId":"a","Encrypt":"x"}'],
    ['no body', 'MALFORMED_ENVELOPE', ''],
    ['a DOCTYPE', 'DOCTYPE_REFUSED', `<!DOCTYPE xml><xml>${parts}</xml>`],
    ['more than 64 KiB', 'BODY_TOO_LARGE', `<xml>${parts}${' '.repeat(65_536)}</xml>`],
    ['more than 64 KiB once encoded', 'BODY_TOO_LARGE', `<xml>${parts}${'微'.repeat(22_000)}</xml>`],
  ])('but none with %s: %s', (_case, reason, body) => {
    expect(rejection(() => parser.parseEnvelope(body))).toBe(reason);
  });

  it('of 64 KiB', () => {
    const start = '<xml><AppId>a</AppId><Encrypt>';
    const ciphertext = 'x'.repeat(65_536 - start.length - '</Encrypt></xml>'.length);

    expect(parser.parseEnvelope(`${start}${ciphertext}</Encrypt></xml>`).ciphertext).toBe(ciphertext);
  });
});

describe('EventParserService keeps the fields of an event', () => {
  it.each<[string, string, unknown]>([
    [
      'numbers as the text they are',
      '<a>007</a><b>12345678901234567890</b><c>1e3</c>',
      {
        a: '007',
        b: '12345678901234567890',
        c: '1e3',
      },
    ],
    ['AppId beside appid', '<AppId>a</AppId><appid>b</appid><APPID>c</APPID>', { AppId: 'a', appid: 'b', APPID: 'c' }],
    [
      'empty elements as empty text',
      '<a/><b></b><c> \n</c><d><![CDATA[]]></d><e><![CDATA[ ]]></e>',
      {
        a: '',
        b: '',
        c: '',
        d: '',
        e: '',
      },
    ],
    ['blanks within a value but not around it', '<a>\r\n\t x  y \n</a><b> <![CDATA[ z ]]> </b>', { a: 'x  y', b: 'z' }],
    ['other white space than that of XML', '<a>\u00A0x\u3000</a>', { a: '\u00A0x\u3000' }],
    ['text in several pieces as one', '<a>x<![CDATA[<y>]]>&amp;<!-- c -->z</a>', { a: 'x<y>&z' }],
    ['repeated elements as an array', '<a>1</a><b>2</b><a>3</a>', { a: ['1', '3'], b: '2' }],
    ['one list as an array', '<list><a>1</a></list>', { list: [{ a: '1' }] }],
    [
      'several lists as an array',
      '<list><a>1</a></list><list/><list><list>2</list></list>',
      {
        list: [{ a: '1' }, '', { list: ['2'] }],
      },
    ],
    ['nested elements as objects', '<a><b><c>1</c></b><b/></a>', { a: { b: [{ c: '1' }, ''] } }],
    ['text between elements', '<a>x<b/>y</a>', { a: { b: '', '#text': 'xy' } }],
    ['no attributes', '<a b="1"><c d="2"/></a>', { a: { c: '' } }],
    [
      'what CDATA holds, whatever it looks like',
      '<a><![CDATA[<!DOCTYPE x [<!ENTITY y "z">]>&y;&#0;]]></a>',
      {
        a: '<!DOCTYPE x [<!ENTITY y "z">]>&y;&#0;',
      },
    ],
    [
      'the escapes of XML',
      '<a>&lt;&gt;&amp;&quot;&apos;&#62;&#x3e;&#x3E;&#0062;&#x1F600;&#9;.</a>',
      {
        a: '<>&"\'>>>>😀\t.',
      },
    ],
    ['an escape of an escape', '<a>&amp;lt;</a>', { a: '&lt;' }],
    [
      'names like those of methods',
      '<constructor>a</constructor><toString>b</toString><hasOwnProperty/><_>c</_>',
      {
        constructor: 'a',
        toString: 'b',
        hasOwnProperty: '',
        _: 'c',
      },
    ],
    [
      'names that xml2js has a use for',
      '<cdata>1</cdata><a><![CDATA[2]]><cdata>3</cdata></a>',
      {
        cdata: '1',
        a: { cdata: '3', '#text': '2' },
      },
    ],
  ])('%s', (_case, inner, fields) => {
    expect(fieldsOf(inner)).toEqual(fields);
  });

  it('also under the name __proto__, which changes nobody', () => {
    const { fields } = parser.parse(
      event('<__proto__><polluted>1</polluted></__proto__><a><__proto__>2</__proto__></a>'),
    );

    expect(JSON.stringify(fields)).toBe(
      '{"InfoType":"something_new","__proto__":{"polluted":"1"},"a":{"__proto__":"2"}}',
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('and finds nothing that was not sent', () => {
    const { fields, secrets } = parser.parse(event(''));

    expect(Object.keys(fields)).toEqual(['InfoType']);
    expect(fields['constructor']).toBeUndefined();
    expect('toString' in fields).toBe(false);
    expect(secrets).toEqual({});
  });

  type Tree = string | [name: string, Tree][];

  const names = fc.constantFrom(
    ...['a', 'b', 'list', 'appid', '__proto__', 'constructor', 'toString', '_', 'cdata', '微信', 'a.b-c', 'x:y'],
  );
  const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll(/[^\t\n\r -\uD7FF\uE000-\uFFFD]/g, '<&>'));
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, text, fc.array(fc.tuple(names, tie('tree')), { minLength: 1, maxLength: 4 })),
  }));
  const blanks = fc.constantFrom('', ' ', '\n    ', '<!-- note -->', '\t\r\n');
  const escape = (value: string) =>
    value.replaceAll(/[<>&\u0080-\uFFFF]/gu, (char) => `&#x${char.codePointAt(0)!.toString(16)};`);
  const cdata = (value: string) => `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;

  function render(node: Tree, blank: string, quote: (value: string) => string): string {
    if (typeof node === 'string') return quote(node);
    return (
      blank + node.map(([name, child]) => `<${name}>${blank}${render(child, blank, quote)}</${name}>${blank}`).join('')
    );
  }

  function expected(node: Tree): unknown {
    if (typeof node === 'string') return node.replace(/^[ \t\r\n]+/, '').replace(/[ \t\r\n]+$/, '');
    const grouped = new Map<string, unknown[]>();
    for (const [name, child] of node) grouped.set(name, [...(grouped.get(name) ?? []), expected(child)]);
    return Object.fromEntries(
      [...grouped].map(([name, values]) => [name, values.length > 1 || name === 'list' ? values : values[0]]),
    );
  }

  it('of any tree, however it is written down', () => {
    const trees = tree.filter((node): node is Exclude<Tree, string> => typeof node !== 'string');

    fc.assert(
      fc.property(trees, blanks, fc.constantFrom(escape, cdata), fc.nat(600), (node, blank, quote, shift) => {
        expect(JSON.stringify(fieldsOf(`<!--${'x'.repeat(shift)}-->${render(node, blank, quote)}`))).toBe(
          JSON.stringify(expected(node)),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('EventParserService takes the secrets out', () => {
  const all =
    '<ComponentVerifyTicket>1</ComponentVerifyTicket><AuthorizationCode>2</AuthorizationCode><PreAuthCode>3</PreAuthCode><auth_code>4</auth_code>';

  it.each(['component_verify_ticket', 'authorized', 'unauthorized', 'something_new'])('of %s', (infoType) => {
    const { fields, secrets } = parser.parse(event(`${all}<a>5</a>`, infoType));

    expect(fields).toEqual({ InfoType: infoType, a: '5' });
    expect(secrets).toEqual({ ComponentVerifyTicket: '1', AuthorizationCode: '2', PreAuthCode: '3', auth_code: '4' });
  });

  it('also where they are of no use', () => {
    const { fields, secrets } = parser.parse(event('<PreAuthCode/><auth_code><a>b</a></auth_code><a/>'));

    expect(fields).toEqual({ InfoType: 'something_new', a: '' });
    expect(secrets).toEqual({});
  });
});

describe('EventParserService tells the time', () => {
  it.each([
    ['1413192605', 1413192605],
    [' <![CDATA[1413192605]]>\n', 1413192605],
    ['1000000000', 1000000000],
  ])('of %j', (text, seconds) => {
    expect(parser.parse(event(`<CreateTime>${text}</CreateTime>`)).createTime).toEqual(utc(seconds));
  });

  it.each([
    '',
    '0',
    '-1',
    '600',
    '0413192605',
    '9999999999',
    '1413192605000',
    '1413192605.5',
    '1e9',
    '0x5440d01d',
    'now',
    '１４１３１９２６０５',
  ])('but not of %j', (text) => {
    expect(parser.parse(event(`<CreateTime>${text}</CreateTime>`)).createTime).toBeNull();
  });

  it('but not where there is none, or two', () => {
    expect(parser.parse(event('')).createTime).toBeNull();
    expect(parser.parse(event('<CreateTime>1413192605</CreateTime>'.repeat(2))).createTime).toBeNull();
  });
});

describe('EventParserService finds the account an event is about', () => {
  it.each([
    ['authorized', '<appid>b</appid><AuthorizerAppid>a</AuthorizerAppid>', 'a'],
    ['authorized', '<appid>b</appid><AuthorizerAppid/>', null],
    ['unauthorized', '<appid>b</appid>', null],
    ['component_verify_ticket', '<appid>b</appid>', null],
    ['notify_3rd_wxa_auth', '<AppId>c</AppId><appid>b</appid>', 'b'],
    ['notify_apply_icpfiling_result', '<authorizer_appid>d</authorizer_appid>', 'd'],
    ['notify_icpfiling_verify_result', '<verify_appid>e</verify_appid>', 'e'],
    ['something_new', '<verify_appid>e</verify_appid><appid/><authorizer_appid>d</authorizer_appid>', 'd'],
    ['something_new', '<AppId>c</AppId>', null],
    ['something_new', '<appid><a>b</a></appid>', null],
    ['something_new', '<appid>a</appid><appid>b</appid>', null],
    ['something_new', '<appid>two words</appid>', null],
    ['something_new', `<appid>${'x'.repeat(129)}</appid>`, null],
  ])('%s with %s', (infoType, inner, account) => {
    expect(parser.parse(event(inner, infoType)).authorizerAppId).toBe(account);
  });
});

describe('EventParserService says what an event lacks', () => {
  it.each([
    ['component_verify_ticket', '', 'ComponentVerifyTicket'],
    ['component_verify_ticket', '<ComponentVerifyTicket> </ComponentVerifyTicket>', 'ComponentVerifyTicket'],
    ['authorized', '', 'AuthorizerAppid and AuthorizationCode'],
    ['authorized', '<AuthorizerAppid>a</AuthorizerAppid><AuthorizationCode/>', 'AuthorizationCode'],
    ['updateauthorized', '<AuthorizationCode>c</AuthorizationCode>', 'AuthorizerAppid'],
    [
      'updateauthorized',
      '<AuthorizerAppid>a</AuthorizerAppid><AuthorizerAppid>b</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode>',
      'AuthorizerAppid',
    ],
    ['unauthorized', '<AuthorizerAppid/>', 'AuthorizerAppid'],
    ['notify_third_fasteregister', '<status>0</status>', 'appid and auth_code'],
    ['notify_third_fasteregister', '<status>0</status><appid>a</appid>', 'auth_code'],
  ])('%s with %j', (infoType, inner, lacking) => {
    expect(parser.parse(event(inner, infoType)).failure).toBe(`${lacking} missing, empty or unusable`);
  });

  it.each([
    ['authorized', '<AuthorizerAppid>a</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode>'],
    ['unauthorized', '<AuthorizerAppid>a</AuthorizerAppid>'],
    ['notify_third_fasteregister', '<status>-1</status>'],
    ['notify_third_fasteregister', ''],
    ['something_new', ''],
    ['toString', ''],
  ])('and that %s with %j lacks nothing', (infoType, inner) => {
    expect(parser.parse(event(inner, infoType)).failure).toBeNull();
  });
});

describe('EventParserService accepts an InfoType never seen before', () => {
  it.each(['x', 'notify_4th.kind-2', 'a/b:c', '新的通知', 'two words', '__proto__', 'x'.repeat(512)])(
    '%s',
    (infoType) => {
      expect(parser.parse(event('<a>1</a>', infoType))).toMatchObject({ infoType, fields: { a: '1' }, failure: null });
    },
  );

  it.each([
    ['is missing', '<xml><a/></xml>'],
    ['is empty', '<xml><InfoType/></xml>'],
    ['is blank', event('', ' \n')],
    ['is there twice', event('<InfoType>b</InfoType>')],
    ['has elements', '<xml><InfoType><a>b</a></InfoType></xml>'],
    ['has control characters', event('', 'a\tb')],
    ['is very long', event('', 'x'.repeat(513))],
    ['is in another case', '<xml><infotype>a</infotype></xml>'],
    ['is not directly below the root', '<xml><a><InfoType>b</InfoType></a></xml>'],
    ['is not below xml', '<a><InfoType>b</InfoType></a>'],
  ])('but none that %s', (_case, xml) => {
    expect(rejection(() => parser.parse(xml))).toBe('MALFORMED_EVENT');
  });
});

describe('EventParserService refuses what is not well-formed', () => {
  it.each([
    ['an end without a start', `${event('')}</a>`],
    ['a start without an end', event('<a>')],
    ['the end of another element', event('<a></b>')],
    ['an end in another case', event('<a></A>')],
    ["the documentation's own slip", event('').replace('</xml>', '<xml>')],
    ['text behind the root', `${event('')}junk`],
    ['a reference behind the root', `${event('')}&amp;`],
    ['CDATA behind the root', `${event('')}<![CDATA[]]>`],
    ['a second root', event('') + event('')],
    ['text before the root', `junk${event('')}`],
    ['a declaration behind the start', ` <?xml version="1.0"?>${event('')}`],
    ['a second declaration', `<?xml version="1.0"?><?xml version="1.0"?>${event('')}`],
    ['an undeclared entity', event('<a>&nbsp;</a>')],
    ['an entity in another case', event('<a>&AMP;</a>')],
    ['an entity named like a method', event('<a>&constructor;</a>')],
    ['an entity without a name', event('<a>&;</a>')],
    ['an entity without an end', event('<a>&amp</a>')],
    ['a bare ampersand', event('<a>a & b</a>')],
    ['a bare angle', event('<a>1 <2</a>')],
    ['a reference to NUL', event('<a>&#0;</a>')],
    ['a reference to a control character', event('<a>&#x1f;</a>')],
    ['a reference to a surrogate', event('<a>&#xD800;</a>')],
    ['a reference to both halves of a pair', event('<a>&#xD83D;&#xDE00;</a>')],
    ['a reference to U+FFFE', event('<a>&#xFFFE;</a>')],
    ['a reference beyond Unicode', event('<a>&#x110000;</a>')],
    ['a reference to no number', event('<a>&#12ab;</a>')],
    ['a reference with a capital X', event('<a>&#X41;</a>')],
    ['a reference in an attribute', event('<a b="&#0;"/>')],
    ['a NUL', event('<a>\0</a>')],
    ['a control character in CDATA', event('<a><![CDATA[\u0008]]></a>')],
    ['half a surrogate pair', event('<a>\uD83D</a>')],
    ['U+FFFF', event('<a>\uFFFF</a>')],
    ['an attribute without quotes', event('<a b=c/>')],
    ['an attribute without a value', event('<a b/>')],
    ['two hyphens in a comment', event('<!-- a -- b -->')],
    ['a comment without an end', `${event('')}<!-- `],
    ['CDATA without an end', event('<a><![CDATA[x</a>')],
    ['nothing', ''],
    ['nothing but blanks', ' \n'],
    ['nothing but a comment', '<!-- xml -->'],
    ['nothing but a byte order mark', '\uFEFF'],
    ['JSON', '{"InfoType":"authorized"}'],
  ])('%s', (_case, xml) => {
    expect(rejection(() => parser.parse(xml))).toBe('MALFORMED_EVENT');
  });

  it.each([
    ['a DOCTYPE', `<!DOCTYPE xml>${event('')}`],
    ['a DOCTYPE behind a prolog', `<?xml version="1.0"?>\n<!DOCTYPE xml>${event('')}`],
    ['an external DTD', `<!DOCTYPE xml SYSTEM "http://127.0.0.1/a.dtd">${event('')}`],
    ['an external entity', `<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>${event('<a>&a;</a>')}`],
    ['a billion laughs', `<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(10)}">]>${event('<a>&b;</a>')}`],
    ['a DOCTYPE without an end', `<!DOCTYPE xml [${'<!ENTITY a "b">'.repeat(99)}`],
    ['an entity declaration on its own', event('<!ENTITY a "b">')],
    ['a declaration without an end', event(`<!${'x'.repeat(2000)}`)],
    ['an element declaration', `<!ELEMENT xml ANY>${event('')}`],
  ])('and DOCTYPE, such as %s', (_case, xml) => {
    expect(rejection(() => parser.parse(xml))).toBe('DOCTYPE_REFUSED');
  });

  it.each(['<a>secret &nbsp;</a>', '<a>secret</b>', '<a>secret\0</a>'])('and repeats nothing of %j', (inner) => {
    const { message, detail } = catching(() => parser.parse(event(inner)));

    expect(message).toBe('The decrypted message is not an event');
    expect(detail).toBeUndefined();
  });

  it('without remembering it: what comes next is read as ever', () => {
    expect(rejection(() => parser.parse(event('<a><b>&nbsp;')))).toBe('MALFORMED_EVENT');
    expect(fieldsOf('<c>1</c>')).toEqual({ c: '1' });
  });
});

describe('EventParserService has its limits', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);

  it('32 elements deep', () => {
    expect(() => parser.parse(event(nested(31)))).not.toThrow();
    expect(rejection(() => parser.parse(event(nested(32))))).toBe('MALFORMED_EVENT');
  });

  it('4096 elements', () => {
    expect(() => parser.parse(event('<a/>'.repeat(4094)))).not.toThrow();
    expect(rejection(() => parser.parse(event('<a/>'.repeat(4095))))).toBe('MALFORMED_EVENT');
  });

  it('256 attributes', () => {
    const attributes = (count: number) => Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ');

    expect(() => parser.parse(event(`<a ${attributes(256)}/>`))).not.toThrow();
    expect(rejection(() => parser.parse(event(`<a ${attributes(257)}/>`)))).toBe('MALFORMED_EVENT');
  });

  const pieces = [
    '<a>',
    '</a>',
    '<a/>',
    '<',
    '<!',
    '<!-',
    '<!---->',
    '<![CDATA[',
    '<![CDATA[]]>',
    ']',
    '<?',
    '<?a?>',
    '&',
    '&amp;',
    '&#65;',
    '&a',
    'a="" ',
    '"',
    ' ',
    'x',
    '<!DOCTYPE a [',
    '<!ENTITY a "b">',
    '<!x ',
    '微',
    '<__proto__/>',
  ];
  const starts = [
    '',
    '<xml>',
    event('').replace('</xml>', '<a>'),
    '<xml ',
    '<xml><![CDATA[',
    '<!--',
    '<!',
    '<!DOCTYPE xml [',
    '<xml>&',
  ];

  it.each(pieces)('and takes no more than a moment over 64 KiB of %j', (piece) => {
    for (const start of starts) {
      const body = start + piece.repeat((65_536 - start.length) / Buffer.byteLength(piece));
      const before = process.cpuUsage();
      for (const read of [() => parser.parse(body), () => parser.parseEnvelope(body)]) {
        expect(rejection(read)).toMatch(/MALFORMED|DOCTYPE|MISSING/);
      }
      // Of the processor and not of the clock, which goes on while a busy machine does something else.
      const { user, system } = process.cpuUsage(before);

      expect((user + system) / 1_000).toBeLessThan(1_000);
    }
  });

  it('whatever the body is, either an event that PostgreSQL can store or a PushRejected comes of it', () => {
    const piece = fc.oneof(
      fc.constantFrom(...pieces, ...starts, '</xml>', '<InfoType>x</InfoType>', '&#xD800;', '\0'),
      fc.string({ unit: 'binary' }),
    );
    const bodies = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString()),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.array(piece).map((all) => all.join('')),
      fc.array(piece).map((all) => event(all.join(''))),
    );

    fc.assert(
      fc.property(bodies, (body) => {
        for (const read of [() => parser.parse(body), () => parser.parseEnvelope(body)]) {
          try {
            expect(JSON.stringify(read())).not.toMatch(/\\u0000|\\ud[89a-f]/);
          } catch (error) {
            if (!(error instanceof PushRejected)) throw error;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
