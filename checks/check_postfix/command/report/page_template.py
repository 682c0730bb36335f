"""What the page and the mail of a report look like, for jinja2."""

from __future__ import annotations

# Dark is for screens only: paper is white.
STYLE = """
:root{--sent:#2f7d5b;--deferred:#c98a00;--bounced:#c2402a;--rejected:#7a7f87;--bar:#3367a8;\
--fg:#1c2024;--bg:#fff;--line:#d7dbe0;--dim:#5b636c;--bad:#b3261e;--look:#8a5a00;--card:#f5f6f8}
@media screen and (prefers-color-scheme:dark){:root{--sent:#4fb286;--deferred:#f0bb3a;\
--bounced:#ef6f55;--rejected:#9aa0a8;--bar:#6f9fe0;--fg:#e6e8ea;--bg:#15181b;--line:#343a41;\
--dim:#a3abb3;--bad:#ff8a7a;--look:#f0bb3a;--card:#1e2226}}
*{box-sizing:border-box}
body{font:16px/1.45 system-ui,sans-serif;margin:1rem auto;max-width:66rem;padding:0 1rem;\
color:var(--fg);background:var(--bg)}
h1{font-size:1.35rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.05rem;margin:2rem 0 .4rem}
p{margin:.2rem 0}
.dim{color:var(--dim)}
ul.problems{list-style:none;margin:0;padding:0}
ul.problems li{border-left:4px solid var(--look);background:var(--card);padding:.5rem .8rem;\
margin:.5rem 0;overflow-wrap:anywhere}
ul.problems li.urgent{border-color:var(--bad)}
ul.problems b{color:var(--look)}
ul.problems .urgent b{color:var(--bad)}
.table{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.18rem .9rem .18rem 0;text-align:right;vertical-align:top;white-space:nowrap}
th{font-weight:500;color:var(--dim);border-bottom:1px solid var(--line)}
td.left,th.left{text-align:left}
td.text{white-space:normal;overflow-wrap:anywhere;min-width:8rem}
tr.example td{white-space:normal;overflow-wrap:anywhere;text-align:left;color:var(--dim);\
font:.85em/1.35 ui-monospace,monospace;padding-bottom:.6rem}
svg{display:block;width:100%;overflow:visible}
svg text{font:12px system-ui,sans-serif;fill:var(--dim);paint-order:stroke;\
stroke:var(--bg);stroke-width:3px;stroke-linejoin:round}
svg.bar{width:6rem;height:.8rem;margin-top:.35rem}
.sent{fill:var(--sent)}.deferred{fill:var(--deferred)}.bounced{fill:var(--bounced)}\
.rejected{fill:var(--rejected)}.of{fill:var(--bar)}.rule{stroke:var(--line)}
.key{margin:.2rem 0 .5rem}.key span{white-space:nowrap;margin-right:1rem}
.key svg{display:inline-block;width:.8rem;height:.8rem;margin-right:.3rem;vertical-align:-.05rem}
@media print{body{max-width:none;font-size:11px}h2{break-after:avoid}\
figure,tr,li{break-inside:avoid}\
.table{overflow:visible}td.text{overflow-wrap:anywhere}\
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
figure{margin:0 0 .8rem}
tr.example div{max-width:60rem}
@media (max-width:600px){table{font-size:13.5px}svg.bar{display:none}td,th{padding-right:.55rem}\
tr.example div{max-width:calc(100vw - 2.2rem)}}
"""

PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'sha256-{{ style_hash }}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{ report.title }}</title><style>{{ style }}</style></head><body>
<h1>{{ report.title }}</h1>
{% for words in report.says %}<p class="dim">{{ words }}</p>
{% endfor %}
<h2>Problems</h2>
{% if report.problems %}<ul class="problems">
{% for problem in report.problems %}<li{% if problem.weight > 1 %} class="urgent"{% endif %}>\
<b>{{ problem.says }}</b><br>next: {{ problem.then }}</li>
{% endfor %}</ul>{% else %}<p>none</p>{% endif %}
{% for section in sections %}
<section><h2>{{ section.title }}</h2>
{% for words in section.says %}<p class="dim">{{ words }}</p>
{% endfor %}
{% if section.chart %}<figure role="img" aria-label="{{ section.title }}: stacked bars; \
the numbers are in the table below">
<div class="key">{% for name, words, number in section.chart.key %}<span><svg><rect \
class="{{ name }}" width="100%" height="100%" rx="2"/></svg>{{ words }} {{ number }}</span>\
{% endfor %}</div>
<svg height="{{ section.chart.height + 22 }}">
{% for line in section.chart.lines %}<line class="rule" x1="0" x2="100%" y1="{{ line.y }}" \
y2="{{ line.y }}"/>{% endfor %}
{% for bar in section.chart.bars %}<g><title>{{ bar.title }}</title>{% for part in bar.parts %}\
<rect class="{{ part.name }}" x="{{ bar.x }}%" width="{{ bar.width }}%" y="{{ part.y }}" \
height="{{ part.height }}"/>{% endfor %}</g>
{% endfor %}
{% for line in section.chart.lines %}<text x="0" y="{{ line.y - 3 }}">\
{{ line.words }}</text>{% endfor %}
{% for label in section.chart.labels %}<text x="{{ label.x }}%" \
y="{{ section.chart.height + 16 }}">\
{{ label.words }}</text>{% endfor %}
</svg></figure>{% endif %}
{% if section.rows %}<div class="table"><table>
{% if section.has_head %}<tr>{% for column in section.columns %}<th{% if column.left %} \
class="left"{% endif %}>\
{{ column.title }}</th>{% endfor %}{% if section.has_bars %}<th></th>{% endif %}</tr>
{% endif %}{% for row in section.rows %}<tr>{% for cell in row.cells %}<td{% if cell.how %} \
class="{{ cell.how }}"{% endif %}>{{ cell.words }}</td>{% endfor %}\
{% if section.has_bars %}<td><svg class="bar" aria-hidden="true"><rect \
class="of" width="{{ row.bar }}%" height="100%" rx="2"/></svg></td>{% endif %}</tr>
{% if row.example %}<tr class="example"><td colspan="{{ section.columns|length + 1 }}"><div>\
{{ row.example }}</div></td></tr>
{% endif %}{% endfor %}</table></div>{% endif %}
{% if section.more %}<p class="dim">and {{ section.more }} more</p>{% endif %}
</section>
{% endfor %}
<section><h2>What could not be read</h2>
{% for words in report.unread %}<p>{{ words }}</p>
{% else %}<p>everything was read</p>
{% endfor %}</section>
</body></html>
"""

# Mail programs show tables and their colours, and little else.
LETTER = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{{ report.title }}</title></head>
<body style="font-family:sans-serif;font-size:15px">
<h2>{{ report.title }}</h2>
{% for words in report.says %}<p>{{ words }}</p>
{% endfor %}
<h3>Problems</h3>
{% if report.problems %}<table cellpadding="6" cellspacing="4" border="0" width="100%">
{% for problem in report.problems %}<tr><td width="6" \
bgcolor="{{ '#b3261e' if problem.weight > 1 else '#c98a00' }}">&nbsp;</td>\
<td><b>{{ problem.says }}</b><br>next: {{ problem.then }}</td></tr>
{% endfor %}</table>{% else %}<p>none</p>{% endif %}
{% for section in sections %}
<h3>{{ section.title }}</h3>
{% for words in section.says %}<p>{{ words }}</p>
{% endfor %}
{% if section.chart %}<p>{% for name, words, number in section.chart.key %}\
<font color="{{ colours[name] }}">&#9632;</font> {{ words }} {{ number }} &nbsp; {% endfor %}</p>
<table width="100%" cellpadding="1" cellspacing="0" border="0">
{% for bar in section.chart.bars %}<tr><td width="70">{{ bar.label }}</td><td>\
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>\
{% for part in bar.cells %}<td width="{{ part.percent }}%"{% if part.name %} \
bgcolor="{{ colours[part.name] }}"{% endif %} \
style="font-size:1px;line-height:12px">&nbsp;</td>{% endfor %}</tr></table></td>\
<td width="70" align="right">{{ bar.number }}</td></tr>
{% endfor %}</table>
{% elif section.rows %}<table cellpadding="3" cellspacing="0" border="0">
<tr>{% for column in section.columns %}\
<th align="{{ 'left' if column.left else 'right' }}">{{ column.title }}</th>{% endfor %}</tr>
{% for row in section.rows %}<tr>{% for cell in row.cells %}<td valign="top" \
align="{{ 'left' if cell.how else 'right' }}">{{ cell.words }}</td>{% endfor %}</tr>
{% if row.example %}<tr><td></td><td colspan="{{ section.columns|length }}">\
<font color="#7a7f87" size="2">{{ row.example }}</font></td></tr>
{% endif %}{% endfor %}</table>{% endif %}
{% if section.more %}<p>and {{ section.more }} more</p>{% endif %}
{% endfor %}
<h3>What could not be read</h3>
{% for words in report.unread %}<p>{{ words }}</p>
{% else %}<p>everything was read</p>
{% endfor %}
</body></html>
"""
