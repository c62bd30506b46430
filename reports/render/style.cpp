#include "parts.hpp"

namespace assay::report {
namespace {

constexpr const char* kColours = R"css(
:root{--paper:#fbfaf7;--sheet:#fff;--ink:#1b1f24;--muted:#57606a;--line:#ddd8cd;--accent:#1f4e79;
--holds:#17633f;--violated:#a3262a;--unknown:#7d5200;--tint:#f3f0e9;--beyond:#a3262a1c;--bar:#7f93a8}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--sheet:#1a1e22;--ink:#e9e7e2;--muted:#a5adb6;
--line:#30363d;--accent:#8fbbe4;--holds:#6fcb9d;--violated:#f29492;--unknown:#e2b65f;--tint:#20252a;
--beyond:#f2949226;--bar:#6c7f92}}
)css";

constexpr const char* kText = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:auto}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,"Segoe UI",
"Helvetica Neue",Arial,"Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.5rem 1rem}
h1,h2,h3,h4{line-height:1.25;text-wrap:balance;margin:0}
h1{font:600 2.5rem/1.15 Charter,"Bitstream Charter","Iowan Old Style",Georgia,"DejaVu Serif",serif;
letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font:600 1.55rem/1.2 Charter,"Bitstream Charter","Iowan Old Style",Georgia,"DejaVu Serif",serif;
margin:0 0 .8rem;padding-top:1.1rem;border-top:2px solid var(--ink)}
h3{font-size:1.05rem;margin:1.2rem 0 .4rem}
h4{font-size:.95rem}
p{margin:.5rem 0;max-width:46rem}
section{margin:3rem 0 0}
a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:1px}
a:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code,pre,.tok,.hex{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.84em;overflow-wrap:anywhere}
.hex{font-size:.8em;letter-spacing:-.01em}
.tok{font-size:.84em;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
pre{background:var(--tint);border-left:3px solid var(--accent);padding:.75rem 1rem;margin:.7rem 0;
font-size:.82rem;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere}
ul{padding-left:1.15rem;margin:.4rem 0;max-width:46rem}li{margin:.2rem 0}
.note,.more,figcaption{color:var(--muted);font-size:.875rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--sheet);padding:.5rem 1rem}
footer{max-width:60rem;margin:2rem auto 0;padding:1rem 1.5rem 3rem;color:var(--muted);font-size:.8rem}
footer p{border-top:1px solid var(--line);padding-top:.8rem;max-width:none}
.toc{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:2.2rem 0 0;padding:.8rem 0;font-size:.875rem;
border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
.toc a{text-decoration:none}.toc a:hover{text-decoration:underline}
)css";

constexpr const char* kSummary = R"css(
.top{display:grid;grid-template-columns:1fr auto;align-items:start}
.top>*{grid-column:1}.top .mark{grid-column:2;grid-row:1/span 2;width:6rem;margin-top:.2rem}
.mark{fill:none;stroke:var(--accent);stroke-width:1.3;stroke-linejoin:round;stroke-linecap:round}
.kind{margin:0 0 .35rem;font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;color:var(--muted)}
.scope{font-size:1.1rem;color:var(--muted);margin:.6rem 0 0}
.facts{grid-column:1/-1!important;display:flex;flex-wrap:wrap;gap:.5rem 2.2rem;margin:1.3rem 0 0}
.facts dt,.counts dt,.signed b{font-size:.78rem;color:var(--muted);font-weight:400}
.facts dd{margin:0}
#summary{margin-top:1.4rem}
.verdict{background:var(--sheet);border:1px solid var(--line);border-left:.45rem solid var(--v);
padding:1.1rem 1.4rem 1.2rem;border-radius:2px;display:grid;grid-template-columns:auto 1fr;gap:.1rem 1.6rem;
align-items:center}
.verdict.holds{--v:var(--holds)}.verdict.violated{--v:var(--violated)}.verdict.unknown{--v:var(--unknown)}
.verdict .word{margin:0;font-size:1.7rem;letter-spacing:.01em}.verdict .word .st{font-weight:700}
.verdict .says{margin:0;font-size:1.02rem}
.counts{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:.8rem 2.6rem;margin:1rem 0 0;padding-top:.9rem;
border-top:1px solid var(--line)}
.counts dd{margin:0}.counts dl{display:flex;flex-wrap:wrap;gap:.5rem 1.8rem;margin:.25rem 0 0}
.counts dl div{display:flex;flex-direction:column-reverse}
.counts dl dd{font-size:1.55rem;line-height:1.15;font-weight:600}
.counts dl dt{font-size:.82rem;color:var(--ink)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 2.5rem;margin-top:1.2rem}
.two ul{font-size:.92rem}.two h3{margin-top:.4rem}
.signed{display:flex;flex-wrap:wrap;gap:.4rem 2.5rem;border-top:1px solid var(--line);margin-top:1.1rem;
padding-top:.7rem}
.signed p{margin:0}.signed b{display:block}
.lv,.st{white-space:nowrap}.lv{font-size:.82rem;letter-spacing:.02em}.st{font-size:.82rem;font-weight:600}
.lv svg,.st svg,.key svg{width:1em;height:1em;vertical-align:-.12em;margin-right:.35em}
.word .st{font-size:inherit}
.lv b{display:inline-block;min-width:.8em}
.st svg{fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
.st.holds{color:var(--holds)}.st.violated{color:var(--violated)}.st.unknown{color:var(--unknown)}
.mk{stroke:var(--accent);stroke-width:1.6}.mk.solid{fill:var(--accent)}.mk.open{fill:var(--sheet)}
.mk.dash{stroke-dasharray:2 1.5}
@media (max-width:40rem){.two{grid-template-columns:1fr}.verdict{grid-template-columns:1fr}
h1{font-size:1.9rem}.top .mark{width:4.2rem}}
)css";

constexpr const char* kTables = R"css(
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--muted);font-size:.85rem;padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--line);
font-weight:400}
tr>:last-child{padding-right:0}
thead th{font-size:.78rem;color:var(--muted);border-bottom:1px solid var(--ink);vertical-align:bottom;
white-space:nowrap}
.claims td:nth-child(2){min-width:15rem;white-space:pre-wrap}.claims td:nth-child(5){white-space:nowrap}
.claims tbody th{font-weight:600}
.claim{margin:1.6rem 0 0;padding:.2rem 0 0}
.claim h3{margin:0;white-space:pre-wrap}.claim .no{color:var(--muted);font-weight:400;margin-right:.3rem}
.badges{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;align-items:baseline;margin:.35rem 0}
.claim dl{display:grid;grid-template-columns:8rem 1fr;gap:.3rem 1.2rem;margin:.7rem 0 0;font-size:.9rem}
.claim dt{color:var(--muted)}.claim dd{margin:0;min-width:0}
.claim dd ul,.chain{margin:0;padding-left:1.1rem}
.exact{color:var(--muted);font-size:.9em;margin-left:.5em}
.withheld{border:1px dashed var(--unknown);padding:.6rem .9rem;max-width:none;font-size:.9rem}
figure{margin:1.6rem 0}figcaption{margin-top:.5rem;max-width:46rem}
.keys{display:block;margin-top:.35rem}.key{white-space:nowrap;margin-right:1.2em}
.plate{background:#fff;border:1px solid var(--line);padding:1rem;border-radius:2px;text-align:center}
.plate svg{max-width:100%;height:auto;max-height:38rem}
.forest{display:block;width:100%;height:auto;font-size:12.5px;margin-top:.6rem}
.forest text{fill:var(--ink)}.forest .tick{fill:var(--muted);font-size:11px}
.forest .label{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:11px}
.forest .value{font-size:11.5px}
.forest .limit-label{font-size:11px;font-weight:600}
.grid{stroke:var(--line);stroke-width:1;fill:none}.limit{stroke:var(--ink);stroke-width:1.6;fill:none}
.beyond{fill:var(--beyond)}.bar{stroke:var(--bar);stroke-width:4;fill:none}
.attack{stroke:var(--violated);stroke-width:2;fill:none}
.run{font-size:1rem;background:var(--tint);padding:.7rem 1rem;max-width:none}
.run .tok{font-size:.9em}.prompt{color:var(--muted)}.emitted{text-decoration:underline;
text-decoration-color:var(--violated);text-underline-offset:.25em}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(25rem,1fr));gap:1.6rem 2.4rem;margin-top:1rem}
.card{border-top:1px solid var(--ink);padding-top:.6rem;min-width:0}
.fid{color:var(--muted);font-weight:400;font-size:.85em;margin-left:.4em}.card .note{margin:.1rem 0 .4rem}
.tops{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem .5rem;margin:.3rem 0 .5rem}
.tops li{margin:0;background:var(--tint);padding:0 .45rem;font-size:.85rem}
.share{color:var(--muted);font-size:.85em}
.kwic{table-layout:fixed;font-size:.82rem}.kwic caption,.kwic thead{position:absolute;left:-99rem}
.kwic td{padding:.2rem .3rem;white-space:nowrap;overflow:hidden}
.kwic col:nth-child(1){width:42%}.kwic col:nth-child(2){width:14%}.kwic col:nth-child(4){width:13%}
.kwic td:first-child{direction:rtl;text-align:right}.kwic td:first-child .tok{direction:ltr}
.kwic .hit{text-align:center}.kwic .num{text-align:right;color:var(--muted)}
.kwic .tok{white-space:pre}
mark{background:var(--tint);color:inherit;font-weight:700;box-shadow:0 0 0 1px var(--line)}
@media (max-width:40rem){.cards{grid-template-columns:1fr}.claim dl{grid-template-columns:1fr;gap:0}
.claim dd{margin-bottom:.5rem}}
)css";

constexpr const char* kVerdicts = R"css(
.page{border-top:1px solid var(--line);padding-top:1.1rem;margin-top:2.2rem}
.page .atoms{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;margin:.5rem 0;font-size:.9rem}
.page .atoms div{display:flex;gap:.5rem}
.sheet{overflow-x:auto;background:var(--sheet);border:1px solid var(--line);border-radius:2px;padding:.9rem 1rem}
.watcher{display:block;max-width:100%;height:auto;margin:0 auto;font-size:12px}
.watcher text{fill:var(--ink);paint-order:stroke;stroke:var(--sheet);stroke-width:4px;stroke-linejoin:round}
.watcher .when{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:11.5px}
.watcher .tag{fill:var(--muted);font-size:11px}.watcher .tag.bad{fill:var(--violated);font-weight:600}
.watcher .number{stroke:none;font-weight:600;font-size:13px}
.edge path{fill:none;stroke:var(--muted);stroke-width:1.3}.edge .tip{fill:var(--muted);stroke:none}
.edge.taken path{stroke:var(--violated);stroke-width:2.8}.edge.taken .tip{fill:var(--violated);stroke:none}
.node circle,.node polygon{fill:var(--sheet);stroke:var(--ink);stroke-width:1.5}
.node.bad polygon{stroke:var(--violated);stroke-width:1.7}.node.bad polygon+polygon{fill:var(--beyond)}
.node.settled circle{stroke:var(--holds);stroke-dasharray:4 3}
details{margin:.6rem 0}summary{cursor:pointer;color:var(--accent);font-size:.9rem}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.walk{list-style:none;display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.7rem;padding:0;
margin:.8rem 0;max-width:none}
.walk>li{margin:0;display:flex;flex-direction:column;gap:.15rem;background:var(--sheet);border:1px solid var(--line);
border-top:3px solid var(--bar);padding:.5rem .7rem .6rem;font-size:.85rem;min-width:0}
.walk>li.from{border-top-style:dotted}.walk>li:last-child:has(.q.bad){border-top-color:var(--violated)}
.walk .n{color:var(--muted);font-size:.75rem}.walk>li>.tok{font-size:1.15rem;font-weight:600}
.walk>li.from>.tok{font-size:.95rem;font-weight:400}
.walk .says{overflow-wrap:anywhere}.q{color:var(--muted)}.q.bad{color:var(--violated);font-weight:600}
.q.settled{color:var(--holds)}
.walk ul{list-style:none;padding:.35rem 0 0;margin:.3rem 0 0;border-top:1px solid var(--line)}
.walk ul li{margin:0;display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 .5rem;padding:.08rem .25rem;
background:linear-gradient(var(--tint),var(--tint)) left/var(--w) 100% no-repeat}
.walk ul span{color:var(--muted)}
)css";

constexpr const char* kArgument = R"css(
h2 .num,.toc .num{color:var(--muted);font-weight:400;margin-right:.25em;font-variant-numeric:tabular-nums}
.gsn{display:block;width:100%;min-width:44rem;height:auto;font-size:11.5px;margin:0 auto}
.gsn text{fill:var(--ink);text-anchor:middle}.gsn .head{font-weight:700;fill:var(--muted);font-size:10.5px}
.gsn .count{font-weight:600}
.gsn .goal,.gsn .context{fill:var(--sheet);stroke:var(--ink);stroke-width:1.3}.gsn .context{stroke:var(--muted)}
.gsn .goal.violated{stroke:var(--violated);stroke-width:1.2;outline:1px solid var(--violated);outline-offset:2px}
.gsn .goal.unknown{stroke:var(--unknown);stroke-dasharray:5 3}
.gsn .by,.gsn .in,.links .by{fill:none;stroke:var(--muted);stroke-width:1.2}
.gsn .tip{fill:var(--muted)}.gsn .tip.open{fill:var(--sheet);stroke:var(--muted)}
.links{display:block;margin:0 0 .35rem}.links .link{fill:var(--sheet);stroke:var(--line);stroke-width:1.3}
.links .weakest{stroke:var(--ink);stroke-width:2.6}.links circle.link{stroke:var(--ink)}
.argument,.argument ul{max-width:none}.argument>li{margin:0}.argument ul ul ul{font-size:.875rem}.argument ul ul ul li{margin:.1rem 0}
.argument ul ul ul ul{color:var(--muted)}
.releases td{text-align:center}.cell{display:inline-block;min-width:1.7em;font-weight:600;border:1px solid currentColor;border-radius:2px}
.cell.holds{color:var(--holds)}.cell.violated{color:var(--violated)}.cell.unknown{color:var(--unknown)}
.cell.none{color:var(--muted);border-style:dotted}
)css";

constexpr const char* kErasure = R"css(
.erased ol{list-style:none;padding:0;margin:0;max-width:none}
.erased li{margin:0 0 1.1rem}.erased .concept{margin:0 0 .3rem;font-weight:600}
.erased li,.erased .concept{max-width:none}
.erased .concept .note{font-weight:400;margin-left:.4em}
.erased .row{display:grid;grid-template-columns:3.6rem minmax(6rem,24rem) 1fr;gap:.2rem .9rem;align-items:center;
font-size:.875rem;margin:.2rem 0}
.erased .what,.erased .says{color:var(--muted)}.erased .says{font-variant-numeric:tabular-nums}
.erased .track{position:relative;display:block;height:.8rem;background:var(--tint);border:1px solid var(--line)}
.erased .fill{display:block;height:100%;min-width:1px}
.erased .was{background:var(--bar)}.erased .is{background:var(--accent)}
.erased .ceiling{position:absolute;top:-.25rem;bottom:-.25rem;border-left:2px solid var(--ink)}
@media (max-width:40rem){.erased .row{grid-template-columns:3.6rem 1fr}.erased .says{grid-column:2}}
)css";

/// A row of the claims becomes a small block of its own; the header words stand in front of the figures.
constexpr const char* kPhone = R"css(
@media screen and (max-width:40rem){main{padding:1.5rem 1rem}footer{padding-left:1rem;padding-right:1rem}
.claims,.claims caption,.claims tbody,.claims tr,.claims td,.claims tbody th{display:block}
.claims thead{position:absolute;left:-99rem}
.claims tr{display:grid;grid-template-columns:auto auto 1fr;gap:.15rem 1rem;align-items:baseline;padding:.6rem 0;
border-bottom:1px solid var(--line)}
.claims td,.claims tbody th{border:0;padding:0}
.claims tbody th{grid-row:1;grid-column:1}
.claims td:nth-child(2){grid-column:1/-1;grid-row:2;min-width:0}
.claims td:nth-child(3){grid-row:1;grid-column:2}.claims td:nth-child(4){grid-row:1;grid-column:3}
.claims td:nth-child(n+5){grid-column:1/-1;font-size:.85rem;white-space:normal}
.claims td:empty{display:none}
.claims td:nth-child(5)::before{content:"Bound vs threshold: ";color:var(--muted)}
.claims td:nth-child(6)::before{content:"Attack found: ";color:var(--muted)}
.claims td:nth-child(7)::before{content:"Unit: ";color:var(--muted)}}
)css";

constexpr const char* kPrint = R"css(
@media print{:root{--paper:#fff;--sheet:#fff;--ink:#000;--muted:#444;--line:#bbb;--accent:#1f4e79;
--holds:#17633f;--violated:#a3262a;--unknown:#7d5200;--tint:#f2f2f2;--beyond:#a3262a1c;--bar:#7f93a8}
html{font-size:9.2pt}body{font-size:1rem;line-height:1.42;print-color-adjust:exact;
-webkit-print-color-adjust:exact}
main,footer{max-width:none;padding:0;margin:0}.skip,.toc,footer{display:none}
section{margin-top:2rem}#summary{margin-top:.9rem}#subject{break-before:page;margin-top:0}
h2,h3,h4,caption,thead,.badges{break-after:avoid}
thead{display:table-header-group}tr,figure,.card,.verdict,.withheld,pre,.short,.claim dl>dd{break-inside:avoid}
.scroll{overflow:visible;margin:.8rem 0}a{color:inherit;text-decoration:none}
.plate svg{max-height:17cm}.cards{grid-template-columns:1fr 1fr;gap:1rem 1.6rem}
.claims td:nth-child(2){min-width:16rem}.claims td:nth-child(5){white-space:normal}
details::details-content{content-visibility:visible;block-size:auto}.page figure~details{display:none}
.page p,.page figure{margin:.4rem 0}.page{margin-top:1.2rem}
.page,.walk>li,.sheet,.claim,h2,h3{break-inside:avoid}#details,#specifications{break-before:page}
.argument{font-size:.9em}.argument li{margin:.1rem 0}#specifications pre{font-size:6.8pt;line-height:1.3;break-inside:auto}
.domains,.claims{font-size:.86rem}.gsn{min-width:0}.walk{grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr))}
p,ul,figcaption{max-width:none;orphans:3;widows:3}}
)css";

}  // namespace

std::string style_sheet(const std::string& id8) {
  // No page size: A4 and Letter are the printer's to choose.
  return std::string(kColours) + kText + kSummary + kTables + kVerdicts + kArgument + kErasure +
         kPhone + kPrint + "@page{margin:17mm 16mm 18mm;@bottom-left{content:\"Assay certificate " +
         id8 +
         "\";font:8pt sans-serif;color:#555}@bottom-right{content:counter(page) \" / \" "
         "counter(pages);font:8pt sans-serif;color:#555}}\n";
}

}  // namespace assay::report
