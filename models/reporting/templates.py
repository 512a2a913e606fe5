"""The templates of reports: a page, and a chart as a file of its own."""

PAGE = """\
{% macro ticks(scale, which) -%}
<div class="{{ which }}ticks{{ ' names' if scale.axis.names }}" data-range="{{ scale.data }}" \
data-label="{{ scale.axis.label }}"
{%- if scale.axis.names %} data-names="{{ scale.axis.names | list | json }}"
 style="--each: {{ (100 / scale.axis.names | length) | round(2) }}%; --lines: 3"{% endif %}>
{%- for place, text in scale.ticks() -%}
<span style="{{ 'left' if which == 'x' else 'top' }}: \
{{ (place if which == 'x' else 100 - place) | round(3) }}%">{{ text }}</span>
{%- endfor %}</div>
{%- endmacro %}

{% macro paths(drawn, asked=true) -%}
{% if drawn.image %}{% set x, y, width, height = drawn.image[0] -%}
<image x="{{ x }}" y="{{ y }}" width="{{ width }}" height="{{ height }}" \
preserveAspectRatio="none" href="{{ drawn.image[1] }}"/>
{%- endif %}
{%- for mark in drawn.marks -%}
<path class="{{ mark.cls }} t{{ mark.tone }}" d="{{ mark.path }}"
{%- if asked and mark.kind %} data-kind="{{ mark.kind }}" data-name="{{ mark.name }}"
{%- if mark.points %} data-points="{{ mark.points | list | json }}"{% endif %}{% endif %}/>
{%- endfor %}
{%- endmacro %}

{% macro chart(drawn) -%}
{% set it = drawn.chart -%}
<figure class="chart{{ ' full' if it.wide }}{{ ' square' if it.square }}" \
data-title="{{ it.title }}">
<div class="head"><span>{{ it.title }}</span></div>
{% if drawn.legend %}<ul class="legend">
{%- for mark in drawn.legend -%}
<li><svg viewBox="0 0 24 10" aria-hidden="true"><path class="{{ mark.cls }} t{{ mark.tone }}" \
d="{{ 'M12,5h0' if mark.kind == 'dots' else 'M0,5H24' }}"/></svg>{{ mark.name }}</li>
{%- endfor %}</ul>
{% endif -%}
<div class="ylabel">{{ it.y.label }}</div>
<div class="frame" style="--labels: min({{ drawn.label_width * 0.56 + 1 }}em, 40%)">
{{ ticks(drawn.y, 'y') }}
<div class="plot"
{%- if it.y.names %} style="--rows: {{ it.y.names | length }}"{% endif %}>\
<svg role="img" aria-label="{{ it.title }}: {{ it.caption }}" \
viewBox="0 0 {{ side }} {{ side }}" preserveAspectRatio="none"><path class="grid" d=""/>\
{{ paths(drawn) }}</svg></div>
{{ ticks(drawn.x, 'x') }}
<div class="xlabel">{{ it.x.label }}</div>
</div>
<figcaption>{{ it.caption }}</figcaption>
{% if drawn.rows -%}
<details><summary>Data as a table</summary>
{% if drawn.left_out %}<p>{{ drawn.rows | length }} points, evenly picked; {{ drawn.left_out }} \
more are drawn.</p>{% endif %}
{{ table(drawn.rows, it.title) }}</details>
{% endif -%}
</figure>
{%- endmacro %}

{% macro table(rows, label, sortable=false) -%}
{% set columns = rows | columns -%}
{% set numbers = rows | numeric -%}
<div class="wide-table" role="region" tabindex="0" aria-label="{{ label }}">
<table{{ ' class=sortable' if sortable }}><thead><tr>
{%- for name in columns %}<th scope="col"{{ ' class=n' if name in numbers }}>\
{{ name | heading }}</th>{% endfor %}</tr></thead>
{% for group in rows | groups -%}
<tbody>
{%- for row in group %}<tr{{ ' class=under' if not loop.first }}>
{%- for name in columns %}{% set cell = row.get(name) | cell %}<td
{%- if name in numbers %} class="n"{% elif cell.long %} class="long"{% endif %}
{%- if cell.value is not none %} data-v="{{ cell.value }}"{% endif %}
{%- if cell.reason %} title="{{ cell.reason }}"{% endif %}>{{ cell.text }}
{%- if cell.interval %} <small>{{ cell.interval }}</small>{% endif %}</td>{% endfor %}</tr>
{%- endfor %}</tbody>
{% endfor -%}
</table></div>
{%- endmacro %}

{% macro confusion(it) -%}
<figure class="confusion">
<div class="head"><span>{{ it.title }}</span></div>
<table><thead><tr><td style="--share: 0"></td>
{%- for name in it.classes %}<th scope="col">taken for<br>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{%- for name, cells in it.cells() %}<tr><th scope="row">{{ name }}</th>
{%- for count, share in cells %}<td style="--share: {{ (share * 0.55) | round(3) }}">\
{{ '{:,}'.format(count) }}<small>{{ '{:.1%}'.format(share) }}</small></td>{% endfor %}</tr>
{%- endfor %}</tbody></table>
<figcaption>{{ it.caption }}</figcaption>
</figure>
{%- endmacro %}

<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="icon" href="data:,">
<style>{{ style }}</style>
</head>
<body>
<main>
{% if back %}<p class="back"><a href="{{ back }}">← All results</a></p>
{% endif -%}
<h1>{{ title }}</h1>
{% if introduction %}<p>{{ introduction }}</p>
{% endif -%}
{% if sections | length > 2 %}<nav aria-label="Sections">
{%- for section in sections %}<a href="#s{{ loop.index0 }}">{{ section.heading }}</a>{% endfor -%}
</nav>
{% endif -%}
{% for section in sections -%}
<section><h2 id="s{{ loop.index0 }}">{{ section.heading }}</h2>
{% for paragraph in section.prose %}<p>{{ paragraph }}</p>
{% endfor -%}
{% if section.table %}{{ table(section.table, section.heading, true) }}
{% endif -%}
{% if section.pictures %}<div class="pictures">
{% for kind, it, path in section.pictures -%}
{% if kind == 'chart' %}{{ chart(it) }}
{% elif kind == 'confusion' %}{{ confusion(it) }}
{% else %}<figure{{ ' class=full' if it.wide }}><img alt="{{ it.caption }}" src="{{ path }}">\
<figcaption>{{ it.caption }}</figcaption></figure>
{% endif -%}
{% endfor %}</div>
{% endif -%}
{% for sound, path in section.sounds -%}
<figure><audio controls preload="none" aria-label="{{ sound.caption }}" src="{{ path }}"></audio>\
<figcaption>{{ sound.caption }}</figcaption></figure>
{% endfor -%}
{% if section.pages %}<ul class="cards">
{% for page, path, drawn in section.pages -%}
<li><a href="{{ path }}">{% if drawn %}<svg class="thumb" aria-hidden="true" \
viewBox="0 0 {{ side }} {{ side }}" preserveAspectRatio="none">{{ paths(drawn, false) }}</svg>\
{% endif %}<b>{{ page.title }}</b><span>{{ page.summary }}</span></a></li>
{% endfor %}</ul>
{% endif -%}
{% if section.notes %}<div class="notes">
{% for paragraph in section.notes %}<p>{{ paragraph }}</p>
{% endfor %}</div>
{% endif -%}
</section>
{% endfor -%}
</main>
<script>{{ script }}</script>
</body>
</html>
"""

CHART = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ left + width + 24 }} \
{{ top + height + 48 }}" width="{{ left + width + 24 }}" font-family="sans-serif" font-size="13">
<title>{{ it.title }}: {{ it.caption }}</title>
<style>path { fill: none; vector-effect: non-scaling-stroke }
.grid { stroke: #e6e9ed } .line { stroke-width: 1.6 } .dashed { stroke-dasharray: 5 4 }
.spans { stroke-width: 9 } .interval { stroke-width: 2 }
.dots { stroke-width: 7; stroke-linecap: round; opacity: .8 }
.many { stroke-width: 3 } .square { stroke-linecap: square }
.bars { stroke-width: 26; opacity: .6 } .narrow { stroke-width: 12 }
{% for colour in tones %}.t{{ loop.index0 }} { stroke: {{ colour }} } {% endfor %}</style>
<rect width="100%" height="100%" fill="#fff"/>
{% for mark in drawn.legend -%}
<text x="{{ left + (loop.index0 % 3) * width // 3 }}" y="{{ 18 + loop.index0 // 3 * 18 }}" \
fill="{{ tones[mark.tone] }}">{{ '●' if mark.kind == 'dots' else '▬' }} {{ mark.name }}</text>
{% endfor -%}
<text x="8" y="{{ top - 10 }}" fill="#59636e">{{ it.y.label }}</text>
<text x="{{ left + width // 2 }}" y="{{ top + height + 40 }}" text-anchor="middle" \
fill="#59636e">{{ it.x.label }}</text>
{% for place, text in drawn.x.ticks() -%}
<text x="{{ (left + place / 100 * width) | round(1) }}" y="{{ top + height + 18 }}" \
text-anchor="middle" fill="#59636e">{{ text }}</text>
{% endfor -%}
{% for place, text in drawn.y.ticks() -%}
<text x="{{ left - 8 }}" y="{{ (top + height - place / 100 * height + 4) | round(1) }}" \
text-anchor="end" fill="#59636e">{{ text }}</text>
{% endfor -%}
<svg x="{{ left }}" y="{{ top }}" width="{{ width }}" height="{{ height }}" \
viewBox="0 0 {{ side }} {{ side }}" preserveAspectRatio="none">
{%- if drawn.image %}{% set x, y, w, h = drawn.image[0] -%}
<image x="{{ x }}" y="{{ y }}" width="{{ w }}" height="{{ h }}" preserveAspectRatio="none" \
href="{{ drawn.image[1] }}"/>
{%- endif %}
{%- for mark in drawn.marks %}<path class="{{ mark.cls }} t{{ mark.tone }}" d="{{ mark.path }}"/>
{%- endfor %}</svg>
<path d="M{{ left }},{{ top }}v{{ height }}h{{ width }}" stroke="#59636e"/>
</svg>
"""
