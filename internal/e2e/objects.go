//go:build unix

package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bareed/web"
)

// sessionCookie is what carries a session to a site without https.
const sessionCookie = "session"

// place says which object a route needs when not any will do. Every other name
// in a path is filled from world.ids.
func (w *world) place(draft, held, recurring, spent string) {
	w.own["GET /campaigns/{campaign}"] = []string{"/campaigns/" + recurring, "/campaigns/" + spent}
	for _, campaign := range w.ids["campaign"] {
		w.own["GET /campaigns/{campaign}"] = append(w.own["GET /campaigns/{campaign}"], "/campaigns/"+campaign)
	}
	w.own["GET /campaigns/{campaign}/edit/{step}"] = nil
	for _, step := range []string{"message", "audience", "delivery", "check", "confirm"} {
		w.own["GET /campaigns/{campaign}/edit/{step}"] = append(w.own["GET /campaigns/{campaign}/edit/{step}"], "/campaigns/"+draft+"/edit/"+step)
	}
	w.own["GET /campaigns/{campaign}/edit"] = []string{"/campaigns/" + draft + "/edit"}
	w.own["GET /campaigns/{campaign}/checks/{check}/rows.csv"] = []string{"/campaigns/" + draft + "/checks/" + w.ids["check"][0] + "/rows.csv"}
	w.own["GET /campaigns/{campaign}/stop"] = []string{"/campaigns/" + held + "/stop"}
	w.own["GET /campaigns/{campaign}/resume"] = []string{"/campaigns/" + held + "/resume", "/campaigns/" + spent + "/resume"}
	w.own["GET /campaigns/{campaign}/caps"] = []string{"/campaigns/" + spent + "/caps"}
}

// elsewhere are routes that only lead to another page, which has a row itself.
var elsewhere = []string{"GET /campaigns/{campaign}/edit", "GET /ops/sign-in"}

// who opens a page.
const (
	owner    = "owner"
	nobody   = "nobody"   // not signed in
	operator = "operator" // of the installation
)

// target is one address to look at.
type target struct {
	route, path, who string
	foreign          bool   // another project's page
	only             string // the one language it has; empty for both
	once             string // what a page that makes itself has when it is made
}

// manual are pages that another server than web answers.
func manual() []target {
	return []target{
		{route: "GET /ops", path: "/ops", who: operator},
		{route: "GET /ops/sign-in", path: "/ops/sign-in", who: nobody},
		{route: "GET /ops/queues/*path", path: "/ops/queues/", who: operator, foreign: true, once: "table tbody tr"},
		{route: "GET /docs", path: "/docs", who: nobody, foreign: true, once: ".swagger-ui .opblock-tag"},
		{route: "GET /docs/quickstart", path: "/docs/quickstart", who: nobody, only: "en"},
	}
}

var part = regexp.MustCompile(`\{([a-z]+)\}`)

// targets lists every page of the table with a real object, and names the
// routes for which nobody has said which object.
func (w *world) targets() (list []target, without []string) {
	for _, r := range web.Routes() {
		if r.Method() != "GET" {
			continue
		}
		who := owner
		switch {
		case strings.HasPrefix(r.Path(), "/ops") && !r.Public:
			who = operator
		case r.Public:
			who = nobody
		}
		paths, err := w.fill(r.Route, r.Path())
		if err != nil {
			without = append(without, fmt.Sprintf("%s: %v", r.Route, err))
		}
		for _, p := range paths {
			list = append(list, target{route: r.Route, path: p, who: who})
		}
	}
	for _, m := range manual() {
		if !slices.ContainsFunc(list, func(t target) bool { return t.path == m.path }) {
			list = append(list, m)
		}
	}
	list = append(list, target{route: "a page that is not there", path: "/nothing-here", who: owner})
	return list, without
}

// fill puts ids in a path's places: one address for each object of the first.
func (w *world) fill(route, path string) ([]string, error) {
	if p, ok := w.own[route]; ok {
		return p, nil
	}
	paths := []string{strings.TrimSuffix(path, "{$}")}
	for part.MatchString(paths[0]) {
		m := part.FindStringSubmatch(paths[0])
		ids := w.ids[m[1]]
		if len(ids) == 0 {
			return nil, fmt.Errorf("internal/e2e knows no object for {%s}", m[1])
		}
		var next []string
		for _, p := range paths {
			for _, id := range ids {
				next = append(next, strings.Replace(p, m[0], id, 1))
			}
		}
		paths = next
	}
	return paths, nil
}
