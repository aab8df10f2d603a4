def @tsv: [.[] | if . == null then "" elif isstring then
    gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
    elif isarray or isobject then error("a cell can't be a list or an object") else tidy | tojson end] | join("\t");
def @csv: [.[] | if . == null then "" elif isstring then "\"" + gsub("\""; "\"\"") + "\""
    elif isarray or isobject then error("a cell can't be a list or an object") else tidy | tojson end] | join(",");
def stderr: (said as $x | .), .;
def debug: (["DEBUG:", .] | said as $x | .), .;
def debug(msgs): (msgs | ["DEBUG:", .] | said as $x | .), .;
def halt_error($exit_code): said, halt($exit_code);
def halt_error: halt_error(5);

# Numbers as jq writes them
def tostring: if isstring then . else tidy | "\(.)" end;
def tojson: tidy | "\([.])" | .[1:-1];
def @json: tojson;
def @text: tostring;
def @html: tostring | escape_html;
def @uri: tostring | encode_uri;
def @base64: tostring | encode_base64;
def @base64d: tostring | . + ["", "", "==", "="][length % 4] | decode_base64;
def @sh: [if isarray then .[] end | if isstring then "'\(escape_sh)'"
    elif isarray or isobject then error("can't be escaped for a shell") else tidy | "\(.)" end] | join(" ");
def divisor: if . == 0 then error("the divisor is zero") end;
def infinite: 1e1000 + 0;
def tonumber: if isnumber then . elif . == "nan" then nan
    elif isstring and test("^\\s*-?([0-9]+\\.?|[0-9]*\\.[0-9]+)([eE][+-]?[0-9]+)?\\s*$")
    then sub("^(?<s>\\s*-?)\\."; "\(.s)0.") | sub("\\.(?<e>[eE\\s]|$)"; "\(.e)") | fromjson
    else error("cannot be parsed as a number") end;

# Texts
def ltrimstr($x): if isstring and ($x | isstring) and startswith($x) then .[($x | length):] end;
def rtrimstr($x): if isstring and ($x | isstring) and endswith($x) then .[:length - ($x | length)] end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def join($s): reduce .[] as $x (null; if . == null then "" else . + $s end
    + ($x | if . == null then "" elif isnumber or . == true or . == false then tojson end)) // "";
def test(re): re as $re | if $re | isarray then test($re[0]; $re[1] // "") else test($re; "") end;
def match(re): re as $re | if $re | isarray then match($re[0]; $re[1] // "") else match($re; "") end;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def todateiso8601: todate;

# Lists
def reverse: if . == null then [] elif isstring then explode | reverse | implode
    else [.[length - 1 - range(length)]] end;
def flatten($d): if $d < 0 then error("the depth of `flatten` must not be negative")
    else [.[] | if isarray and $d > 0 then flatten($d - 1)[] end] end;
def flatten: flatten(1e9);
# jaq's own removal of a member moves the last one into its place
def map_values(f): if isobject then . as $in | reduce keys_unsorted[] as $k ({};
    . + ([$in[$k] | first(f)] | if . == [] then {} else {($k): .[0]} end)) else .[] |= first(f) end;
def toarray: if isarray then . else [.] end;
def have_literal_numbers: true;
def have_decnum: true;
def from_entries: reduce .[] as $e ({};
    ($e | [.key, .k, .name, .Name, .Key, .K] | map(select(. != null))[0]) as $k
    | ($e | [.value, .v, .Value, .V] | map(select(. != null))[0]) as $v
    | . + {($k | if isstring then . else tojson end): $v});
def with_entries(f): to_entries | map(f) | from_entries;
def INDEX(rows; f): reduce rows as $row ({}; . + {($row | f | tostring): $row});
def INDEX(f): INDEX(.[]; f);
def JOIN($index; rows; f; g): rows | [., $index[f]] | g;
def JOIN($index; rows; f): JOIN($index; rows; f; .);
def JOIN($index; f): [JOIN($index; .[]; f)];
def IN(s): any(s == .; .);
def IN(these; s): any(these == s; .);
def ascii: [.] | implode;
def get_search_list: [];
def input: error("No more inputs");
def inputs: empty;
def input_filename: null;

# Paths: what is missing on the way is made, as jq does
def __set($p; $v): if $p == [] then $v else $p[0] as $k
    | if . == null then if $k | isstring then {} else [] end end
    | if isarray and ($k | isnumber) and $k >= length then . + [range($k - length + 1) | null] end
    | .[$k] = (.[$k] | __set($p[1:]; $v)) end;
def setpath($p; $v): __set($p; $v);
def __drop($p): if . == null then . elif $p == [] then null else $p[0] as $k
    | if $k | isobject then .[:$k.start // 0] + if $k.end == null then [] else .[$k.end:] end
    elif isarray and ($k | isnumber) and ($k >= length or $k < -length) then .
    elif ($p | length) == 1 and isobject then . as $in
    | reduce (keys_unsorted[] | select(. != $k)) as $name ({}; . + {($name): $in[$name]})
    elif ($p | length) == 1 then .[$k] |= empty
    elif .[$k] == null then . else .[$k] |= __drop($p[1:]) end end;
def delpaths($paths): reduce ($paths | sort | reverse)[] as $p (.; __drop($p));
def __is_gone: isobject and has(null);
def __sweep: if isarray then map(select(__is_gone | not) | __sweep)
    elif isobject then map_values(select(__is_gone | not) | __sweep) end;
def del(f): . as $in | try (f |= {(null): null} | __sweep) catch ($in | delpaths([path(f)]));
def __assign(paths; f): . as $in | f as $v | $in
    | try (paths = $v) catch ($in | reduce path(paths) as $p (.; __set($p; $v)));
def __update(paths; f): . as $in | try (paths |= first(f, error)) catch ($in
    | reduce path(paths) as $p ([., []]; (.[0] | [first(getpath($p) | f)]) as $new
        | if $new == [] then [.[0], .[1] + [$p]] else [(.[0] | __set($p; $new[0])), .[1]] end)
    | .[1] as $gone | .[0] | delpaths($gone));
def pick(f): . as $in | reduce path(f) as $p (null; __set($p; $in | getpath($p)));

# Loops: the last output is the next state, or null
def __last(f): first(last(f), null);
def __each: .[];
def __range($from; $to; $by): range($from; $to; $by);
def range($from; $to; $by): if $by == 0 then empty else __range($from; $to; $by) end;

# Streams
def tostream: def at($p): if (isarray or isobject) and length > 0
    then (keys_unsorted[] as $k | .[$k] | at($p + [$k])), [$p + [keys_unsorted[-1]]] else [$p, .] end; at([]);
def fromstream(f): foreach f as $e ([null, true]; if .[1] then null else .[0] end
    | if ($e | length) == 2 then [__set($e[0]; $e[1]), $e[0] == []] else [., ($e[0] | length) == 1] end;
    if .[1] then .[0] else empty end);
def truncate_stream(s): . as $n | s | select((.[0] | length) > $n) | .[0] |= .[$n:];
def limit($n; f): if $n > 0 then label $out | foreach f as $x (0; . + 1; $x, if . >= $n then break $out else empty end) else empty end;
