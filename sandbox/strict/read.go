package strict

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"bareed/whatsapp"
)

// Fields honours fields=; a name the node does not have is an error, as with
// Meta. Members in braces or after a dot are not narrowed down.
func Fields(r *http.Request, all map[string]any, standard string) (any, *Refusal) {
	out := map[string]any{"id": all["id"]}
	depth, name := 0, strings.Builder{}
	for _, c := range cmp.Or(r.URL.Query().Get("fields"), standard) + "," {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth > 0:
		case c == ',':
			key, _, _ := strings.Cut(strings.TrimSpace(name.String()), ".")
			name.Reset()
			if key == "" {
				continue
			}
			v, ok := all[key]
			if !ok {
				return nil, Refuse(100, "tried accessing nonexisting field "+key)
			}
			if v != nil {
				out[key] = v
			}
		default:
			name.WriteRune(c)
		}
	}
	return out, nil
}

// Page cuts a list at the query's limit and after. The cursor carries the
// list's revision, so it goes stale (131059) when the list has changed.
func Page(r *http.Request, items []any, revision int) (any, *Refusal) {
	q := r.URL.Query()
	limit := 25
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, Refuse(100, "limit")
		}
		limit = min(n, 1000)
	}
	from := 0
	if after := q.Get("after"); after != "" {
		raw, err := base64.RawURLEncoding.DecodeString(after)
		var rev int
		if _, scan := fmt.Sscanf(string(raw), "%d:%d", &from, &rev); err != nil || scan != nil || rev != revision || from < 0 || from > len(items) {
			return nil, Refuse(whatsapp.CodeInvalidCursor, "the cursor has expired")
		}
	}
	to := min(from+limit, len(items))
	cursor := func(i int) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%d", i, revision))
	}
	paging := map[string]any{"cursors": map[string]string{"before": cursor(from), "after": cursor(to)}}
	if to < len(items) {
		paging["next"] = "https://sandbox.invalid" + r.URL.Path + "?after=" + cursor(to)
	}
	return map[string]any{"data": items[from:to], "paging": paging}, nil
}
