package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"bareed/sandbox/strict"
)

func (s *Server) listNumbers(r *http.Request, w *waba) (any, *strict.Refusal) {
	items := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.numbers)) {
		n := s.numbers[id]
		if n.WABAID != w.ID {
			continue
		}
		item, ref := strict.Fields(r, n.fields(), "id,display_phone_number,verified_name,quality_rating")
		if ref != nil {
			return nil, ref
		}
		items = append(items, item)
	}
	return strict.Page(r, items, len(items))
}

func (s *Server) listTemplates(r *http.Request, w *waba) (any, *strict.Refusal) {
	q := r.URL.Query()
	items := []any{}
	for _, t := range w.order {
		if v := q.Get("name"); v != "" && v != t.Name || q.Get("status") != "" && !strings.EqualFold(q.Get("status"), t.Status) ||
			q.Get("language") != "" && q.Get("language") != t.Language {
			continue
		}
		item, ref := strict.Fields(r, t.Fields(), "id,name,language,status,category,parameter_format,components")
		if ref != nil {
			return nil, ref
		}
		items = append(items, item)
	}
	return strict.Page(r, items, w.revision)
}
