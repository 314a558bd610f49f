/** The one style sheet of merchants' pages. It is part of each page and allowed there by its hash, so it must not vary. */
export const STYLES = `
:root{color-scheme:light dark;--ground:#f2f4f3;--card:#fff;--ink:#17211b;--soft:#56635b;--line:#dfe5e1;--brand:#07783d;--brand-ink:#fff;--brand-soft:#e6f4ec;--warn:#8a4b00;--warn-soft:#fdf1df;--bad:#a3211f;--bad-soft:#fcebea}
@media (prefers-color-scheme:dark){:root{--ground:#101412;--card:#191f1c;--ink:#e9efeb;--soft:#a3b0a8;--line:#2d3631;--brand:#3fcf83;--brand-ink:#06210f;--brand-soft:#16301f;--warn:#f0b866;--warn-soft:#33270f;--bad:#ff9d97;--bad-soft:#3a1b1a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;padding:20px 16px;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"PingFang SC","Hiragino Sans GB","Microsoft YaHei","WenQuanYi Micro Hei",sans-serif}
main{width:100%;max-width:420px;background:var(--card);border:1px solid var(--line);border-radius:18px;padding:28px 24px;box-shadow:0 1px 2px #0000000a,0 12px 32px #00000010}
main.wide{max-width:760px;padding:36px 44px 28px}
.badge{width:56px;height:56px;border-radius:50%;display:grid;place-items:center;margin:0 0 16px;background:var(--brand-soft);color:var(--brand)}
.badge svg{width:30px;height:30px}
.badge.warn,.badge.halt{background:var(--warn-soft);color:var(--warn)}
.badge.bad{background:var(--bad-soft);color:var(--bad)}
h1{font-size:24px;line-height:1.3;margin:0 0 8px;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:16px;line-height:1.4;margin:0 0 4px;font-weight:600}
p{margin:0 0 12px}
.lead{color:var(--soft);margin:0 0 20px;overflow-wrap:anywhere}
ul.facts{list-style:none;margin:0 0 20px;padding:14px 16px;background:var(--ground);border-radius:12px;font-size:14px;line-height:1.5}
ul.facts li{display:flex;gap:12px;justify-content:space-between}
ul.facts li+li{margin-top:6px}
ul.facts span{color:var(--soft);flex:none}
ul.facts b{font-weight:500;text-align:right;overflow-wrap:anywhere;min-width:0}
.button{display:block;width:100%;padding:13px 20px;border:0;border-radius:12px;background:var(--brand);color:var(--brand-ink);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.button:hover{filter:brightness(1.08)}
a{color:var(--brand);text-underline-offset:3px}
:focus-visible{outline:3px solid var(--brand);outline-offset:3px;border-radius:6px}
.button:focus-visible{border-radius:12px}
.other{display:block;padding:12px 0 4px;text-align:center;font-size:15px}
.ways{display:grid;grid-template-columns:1fr 1fr;gap:0;margin:20px 0 24px;border:1px solid var(--line);border-radius:14px}
.ways section{padding:24px;display:flex;flex-direction:column}
.ways section+section{border-left:1px solid var(--line);align-items:center;text-align:center}
.ways p{color:var(--soft);font-size:14px}
.ways .button{margin-top:auto}
ol.steps{list-style:none;counter-reset:step;margin:6px 0 20px;padding:0;font-size:15px;line-height:1.5}
ol.steps li{counter-increment:step;display:flex;gap:12px;padding:7px 0}
ol.steps li::before{content:counter(step);flex:none;width:24px;height:24px;border-radius:50%;background:var(--brand-soft);color:var(--brand);font-size:13px;font-weight:600;line-height:24px;text-align:center}
.wide>.badge{float:left;margin:4px 20px 0 0}
.wide>.lead{overflow:hidden}
.wide ul.facts{clear:both;display:flex;flex-wrap:wrap;gap:8px 28px;margin:0}
.wide ul.facts li{justify-content:flex-start}
.wide ul.facts li+li{margin:0}
main.message{text-align:center;padding:40px 32px 36px}
.message .badge{width:72px;height:72px;margin:0 auto 20px}
.message .badge svg{width:38px;height:38px}
.message .lead{margin-bottom:24px;text-wrap:pretty}
.message ul.facts{text-align:left}
.qr{background:#fff;border-radius:10px;padding:16px;line-height:0;border:1px solid var(--line);width:188px}
.qr svg{width:100%;height:auto;display:block}
details{font-size:14px;color:var(--soft);border-top:1px solid var(--line);margin-top:14px;padding-top:12px}
summary{cursor:pointer}
details .qr{margin:12px auto 4px}
details p{margin:10px 0 0}
details ul{margin:8px 0 0;padding-left:20px}
.note{font-size:13px;line-height:1.55;color:var(--soft);margin:16px 0 0}
.note form{display:inline}
p.hint{font-size:14px;line-height:1.5;color:var(--soft);margin:0 0 16px}
.quiet{border:0;background:none;padding:4px 0;font:inherit;color:var(--brand);text-decoration:underline;text-underline-offset:3px;cursor:pointer}
@media (max-width:640px){main.wide{max-width:420px;padding:28px 24px}.ways{grid-template-columns:1fr}.ways section+section{border-left:0;border-top:1px solid var(--line)}.ways .button{margin-top:8px}}
@media (max-width:480px){body{justify-content:flex-start;padding:0;background:var(--card)}main,main.wide{padding:32px 24px 24px;border:0;border-radius:0;box-shadow:none}main.message{padding-top:14vh}.ways{margin-left:-8px;margin-right:-8px}}
@media (max-width:480px) and (max-height:760px){main.narrow{padding:18px 24px 12px}.narrow .badge{width:40px;height:40px;margin-bottom:8px}.narrow .badge svg{width:22px;height:22px}.narrow h1{font-size:21px;margin-bottom:4px}.narrow .lead{font-size:15px;line-height:1.5;margin-bottom:14px}.narrow ul.facts{margin-bottom:14px;padding:11px 16px}.narrow p.hint{margin-bottom:12px}.narrow details{margin-top:10px;padding-top:10px}.narrow .note{margin-top:10px}}
`;
