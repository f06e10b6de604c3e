package sandbox

import (
	"fmt"
	"reflect"
	"strings"

	"bareed/sandbox/strict"
	"bareed/whatsapp"
)

// template is a stored template with what its variables demand.
type template struct {
	Template
	form *strict.Template
}

func templateKey(name, language string) string { return name + "\x00" + language }

func (s *Server) putTemplate(v Template) error {
	w := s.wabas[v.WABAID]
	if v.ID == "" || v.Name == "" || v.Language == "" || w == nil {
		return fmt.Errorf("template: id, name, language and a known waba_id are needed")
	}
	v.Category, v.Status = def(v.Category, "MARKETING"), strings.ToUpper(def(v.Status, "APPROVED"))
	v.Quality, v.ParameterFormat = def(v.Quality, "UNKNOWN"), strings.ToUpper(def(v.ParameterFormat, "POSITIONAL"))
	form, err := strict.ParseTemplate(v.Components, v.ParameterFormat)
	if err != nil {
		return fmt.Errorf("template %s: %w", v.Name, err)
	}
	t := &template{Template: v, form: form}
	key := templateKey(v.Name, v.Language)
	old := w.templates[key]
	if old != nil && reflect.DeepEqual(old.Template, v) {
		return nil // a seed applied again makes no cursor stale
	}
	w.revision++
	if old != nil {
		*old = *t
		return nil
	}
	w.templates[key] = t
	w.order = append(w.order, t)
	return nil
}

// findTemplate needs mu; by id over all accounts.
func (s *Server) findTemplate(id string) *template {
	for _, w := range s.wabas {
		for _, t := range w.order {
			if t.ID == id {
				return t
			}
		}
	}
	return nil
}

// checkTemplate checks a filled template against the stored one.
func (w *waba) checkTemplate(in *strict.Filled) (*template, *strict.Refusal) {
	t := w.templates[templateKey(in.Name, in.Language.Code)]
	if t == nil {
		return nil, strict.Refuse(132001, "no such name in this language")
	}
	switch t.Status {
	case "APPROVED":
	case "PAUSED":
		return nil, strict.Refuse(whatsapp.CodeTemplatePaused, "template is paused")
	case "DISABLED":
		return nil, strict.Refuse(132016, "template is disabled")
	default:
		return nil, strict.Refuse(132001, "template is not approved")
	}
	return t, t.form.CheckFill(in)
}
