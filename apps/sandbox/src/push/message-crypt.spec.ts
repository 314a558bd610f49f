import fc from 'fast-check';
import { MessageCrypt } from './message-crypt.js';

const K1 = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';

/** Answers of WeChat's own sample programs. `message` null: only the signature and the way back are checked. */
const KNOWN_ANSWERS = [
  {
    name: 'the Java sample',
    token: 'pamtest',
    key: K1,
    appId: 'wxb11529c136998cb6',
    random: 'aaaabbbbccccdddd',
    message: '我是中文abcd123',
    ciphertext: 'jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==',
  },
  {
    name: 'the Java sample of an URL verification',
    token: 'QDG6eK',
    key: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
    appId: 'wx5823bf96d3bd56c7',
    stamp: { timestamp: '1409659589', nonce: '263014780' },
    signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
    message: '1616140317555161061',
    ciphertext: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
  },
  {
    name: 'the Python sample',
    token: 'spamtest',
    key: K1,
    appId: 'wx2c2769f8efd9abc2',
    stamp: { timestamp: '1409735669', nonce: '1320562132' },
    signature: '5d197aaffba7e9b25a30732f161a50dee96bd5fa',
    message:
      '<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n<CreateTime>1409735668</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[abcdteT]]></Content>\n<MsgId>6054768590064713728</MsgId>\n</xml>',
    ciphertext:
      'hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE=',
  },
  {
    name: 'the C++ sample',
    token: 'spamtest',
    key: K1,
    appId: 'wx2c2769f8efd9abc2',
    stamp: { timestamp: '1410349438', nonce: '298025754' },
    signature: '003fee52ecc56afb46c00b5c7721be87860ce785',
    message: null,
    ciphertext:
      'mfBCs65c67CeJw22u4VT2TD73q5H06+ocrAIxswCaeZ/d/Lw0msSZFHY0teqgSYiI1zR2gD2DKrB3TIrmX/liNSDrGqS8jSI/WPeKB5VPr7Ezr7gomZAyGCwJSgT1TRFWPfONGJMxuj2nk4faTuspAuVIFQ6SHwZuJBZC7mcJp7Cgr9cUhATQWDbOPaE7ukZBTV2YqyzH+UI2AK+J1S47cE79k1RX8t0hcTz/O0hlK8DGXKnvYv88qKQcI7z4iaajqHfRVZKBNyOODabs+It+ZfM3dWTeFcPgDbGtIEnpt/EDtuuA/zMvtkaKdHdswPnVZQ+xdwbYr3ldGvfT8HlEYEgkgKaThxTFobVlwzu2ZkXCjicbP3xdr15Iq48ObgzPpqYuZ3IEoyggZDKClquk0u0orMck4GTF/XyE8yGzc4=',
  },
  {
    name: 'the example for third-party platforms',
    token: 'AAAAA',
    key: 'A'.repeat(43),
    appId: 'wx134c8103faa5a59e',
    stamp: { timestamp: '1715943329', nonce: '1590219412' },
    signature: '6c12a4205838198b8fa631b3220723bb07f1015c',
    random: '1205899eaf019bbd',
    message:
      '<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName>\n<FromUserName><![CDATA[o9AgO5Kd5ggOC-bXrbNODIiE3bGY]]></FromUserName>\n<CreateTime>1715943329</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[debug_demo]]></Event>\n<debug_str><![CDATA[hello world]]></debug_str>\n</xml>',
    ciphertext:
      'D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg==',
  },
  {
    name: 'the reply of that example',
    token: 'AAAAA',
    key: 'A'.repeat(43),
    appId: 'wx134c8103faa5a59e',
    stamp: { timestamp: '1713424427', nonce: '415670741' },
    signature: '03e0812039325c2712ef5f0f980fd14c70d6e307',
    random: '999951349e8ee746',
    message: '<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>',
    ciphertext:
      'hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7',
  },
];

describe('MessageCrypt', () => {
  describe.each(KNOWN_ANSWERS)(
    'against $name',
    ({ token, key, appId, stamp, signature, random, message, ciphertext }) => {
      const crypt = new MessageCrypt(token, key, appId);

      it('opens it', () => {
        const opened = crypt.decrypt(ciphertext);
        expect(opened.appId).toBe(appId);
        if (message !== null) expect(opened.message).toBe(message);
        if (random !== undefined) expect(opened.random.toString('latin1')).toBe(random);
      });

      it('encrypts the same text with the same random bytes to the same ciphertext', () => {
        const opened = crypt.decrypt(ciphertext);
        expect(crypt.encrypt(message ?? opened.message, opened.random)).toBe(ciphertext);
      });

      it('signs it alike', () => {
        if (stamp) expect(crypt.sign(stamp, ciphertext)).toBe(signature);
      });
    },
  );

  it('computes the signature without ciphertext as the example has it', () => {
    const crypt = new MessageCrypt('AAAAA', 'A'.repeat(43), 'wx134c8103faa5a59e');
    expect(crypt.sign({ timestamp: '1715943329', nonce: '1590219412' })).toBe(
      'cc0c594499c1634947d5b502f158ee518947db27',
    );
  });

  it('takes back whatever it sealed, at every length of padding', () => {
    const crypt = new MessageCrypt('token', K1, 'wx0000000000000001');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (message) => {
        const plain = Buffer.from(message, 'utf8').toString('utf8');
        expect(crypt.decrypt(crypt.encrypt(message)).message).toBe(plain);
      }),
    );
  });

  it('refuses a key that does not have 43 characters', () => {
    expect(() => new MessageCrypt('token', 'short', 'wx0000000000000001')).toThrow('43 characters');
  });

  it('wraps what it seals in an envelope and signs both ways', () => {
    const crypt = new MessageCrypt('token', K1, 'wx0000000000000001');
    const stamp = { timestamp: '1715943329', nonce: '42' };
    const { query, body } = crypt.seal('<xml/>', stamp);
    const ciphertext = /<Encrypt><!\[CDATA\[(.+)\]\]><\/Encrypt>/.exec(body)?.[1] ?? '';
    expect(crypt.decrypt(ciphertext)).toMatchObject({ message: '<xml/>', appId: 'wx0000000000000001' });
    expect(body).toContain('<AppId><![CDATA[wx0000000000000001]]></AppId>');
    expect(query).toEqual({
      ...stamp,
      encrypt_type: 'aes',
      signature: crypt.sign(stamp),
      msg_signature: crypt.sign(stamp, ciphertext),
    });
  });
});
