//go:build unix

// Package e2e tries the product as people use it: it starts everything as real
// processes with the sandbox in Meta's place, drives a browser through journeys,
// and looks at every page of the table in both languages, themes and widths.
// cmd/dev calls it. What a page must be like is internal/e2e/look's.
package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"bareed/internal/devenv"
	"bareed/internal/devenv/software"
	"bareed/internal/e2e/look"
	"bareed/internal/rig"
	"bareed/web"
	"bareed/web/ui"
)

// Options of Run.
type Options struct {
	Out      io.Writer
	Install  bool
	Shots    string         // a folder for pictures of every page; empty for none
	Pages    *regexp.Regexp // of the paths to look at; nil for all
	Journeys *regexp.Regexp // of the journeys' names; nil for all
}

// run is one run.
type run struct {
	Options
	texts    map[string]map[string]ui.Message
	world    *world
	browser  *look.Browser
	sessions map[string]string // by who
}

// result is the last line, for programs.
type result struct {
	Journeys     int            `json:"journeys"`
	Failed       []string       `json:"journeys_failed,omitempty"`
	Pages        int            `json:"pages"`
	Renderings   int            `json:"renderings"`
	Axe          *int           `json:"axe_violations"` // null: not judged
	Overflows    int            `json:"overflows"`
	Untranslated int            `json:"untranslated"`
	Other        map[string]int `json:"other,omitempty"`
	Seconds      float64        `json:"seconds"`
}

// Run does everything and prints one line for each fault; an error unless all
// is well. soft ends at the first Ctrl-C, hard at the second.
func Run(soft, hard context.Context, o Options) error {
	began := time.Now()
	if o.Shots != "" {
		if err := os.MkdirAll(o.Shots, 0o755); err != nil {
			return fmt.Errorf("make the folder for pictures: %w", err)
		}
	}
	program, err := software.Chromium(soft, o.Out, o.Install)
	if err != nil {
		return err
	}
	dir, err := devenv.OwnDir(devenv.Test)
	if err != nil {
		return err
	}
	axe, err := look.Axe(soft, dir, o.Out)
	if err != nil {
		if o.Install || os.Getenv("CI") != "" {
			return err
		}
		fmt.Fprintf(o.Out, "%-10s accessibility is NOT judged: %v\n", "axe-core", err)
	}
	return o.with(soft, hard, program, axe, dir, began)
}

func (o Options) with(soft, hard context.Context, program, axe, dir string, began time.Time) error {
	env, err := devenv.Up(soft, devenv.Options{Mode: devenv.Test, Out: o.Out, Install: o.Install})
	if err != nil {
		return err
	}
	defer env.Close()
	database, drop, err := database(soft, env.DatabaseURL)
	if err != nil {
		return err
	}
	defer drop()
	bin, err := rig.Build(soft, dir, o.Out)
	if err != nil {
		return err
	}
	journal, err := os.MkdirTemp("", "bareed-e2e-")
	if err != nil {
		return fmt.Errorf("make a directory for the sandbox: %w", err)
	}
	defer os.RemoveAll(journal)
	product, err := rig.Start(hard, rig.Config{Binary: bin, DatabaseURL: database, RedisURL: env.RedisURL, Dir: journal,
		Workers: 1, Schedulers: 1, Slots: 32, Log: os.Stderr})
	if err != nil {
		return err
	}
	defer product.Stop()
	r := &run{Options: o, sessions: map[string]string{}}
	if r.world, err = seed(soft, product); err != nil {
		return err
	}
	o.say("ready", "the product runs with its data after %.1f s", time.Since(began).Seconds())
	words, err := r.lexicon()
	if err != nil {
		return err
	}
	if r.browser, err = look.Start(hard, look.Config{Program: program, Axe: axe, Words: words}); err != nil {
		return err
	}
	defer r.browser.Close()
	return r.perform(soft, began, axe != "")
}

// perform runs the journeys, then looks at the pages.
func (r *run) perform(ctx context.Context, began time.Time, judged bool) error {
	if err := r.signIn(ctx); err != nil {
		return err
	}
	var res result
	var walked []look.Fault
	m := &matrix{run: r}
	var err error
	var both sync.WaitGroup // journeys mostly wait, pages mostly compute
	if r.Pages == nil {
		both.Go(func() { walked = r.journeys(ctx, &res) })
	}
	if r.Journeys == nil {
		both.Go(func() { err = m.all(ctx) })
	}
	both.Wait()
	if err != nil {
		return err
	}
	res.Pages, res.Renderings = m.pages, m.seen
	return r.report(res, append(walked, m.faults...), began, judged)
}

func (r *run) report(res result, faults []look.Fault, began time.Time, judged bool) error {
	count := map[look.Kind]int{}
	lines := map[string]bool{}
	for _, f := range faults {
		if s := f.String(); !lines[s] {
			lines[s] = true
			count[f.Kind]++
		}
	}
	for _, s := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintln(r.Out, s)
	}
	if judged {
		n := count[look.Access]
		res.Axe = &n
	}
	res.Overflows, res.Untranslated = count[look.Overflow], count[look.Untranslated]
	res.Other = map[string]int{}
	for kind, n := range count {
		if !slices.Contains([]look.Kind{look.Access, look.Overflow, look.Untranslated}, kind) {
			res.Other[string(kind)] = n
		}
	}
	res.Seconds = float64(int(time.Since(began).Seconds()*10)) / 10
	b, err := json.Marshal(res)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	fmt.Fprintf(r.Out, "%s\n", b)
	if len(lines) > 0 || len(res.Failed) > 0 {
		return errors.New("not everything holds")
	}
	return nil
}

func (o Options) say(what, format string, args ...any) {
	fmt.Fprintf(o.Out, "%-10s %s\n", what, fmt.Sprintf(format, args...))
}

// latin are the words that stay in Latin letters in an Arabic page.
var latin = []string{"WhatsApp", "Meta", "CSV", "API", "UTC", "STOP", "ID", "JSON", "HTTP", "HTTPS", "WABA", "UTF", "URL", "Excel", "Business", "GMT", "Redis", "asynqmon", "Windows", "TSV", "ar", "en", "PostgreSQL", "Prometheus", "Bearer", "Authorization", "cron", "bareed", "verify"}

func (r *run) lexicon() (look.Lexicon, error) {
	pages, err := web.NewUI(nil)
	if err != nil {
		return look.Lexicon{}, err
	}
	l := look.Lexicon{Latin: latin, English: map[string]string{}, UserData: r.world.texts}
	texts := pages.Texts().ByLang
	r.texts = texts
	for key, message := range texts["en"] {
		area, _, _ := strings.Cut(key, ".")
		if !slices.Contains(l.Areas, area) {
			l.Areas = append(l.Areas, area)
		}
		ar := texts["ar"][key].All()
		for _, s := range message.All() {
			if !strings.Contains(s, "{") && !slices.Contains(ar, s) && !slices.Contains(latin, s) {
				l.English[s] = key
			}
		}
	}
	slices.SortFunc(l.UserData, func(a, b string) int { return len(b) - len(a) }) // the longer first
	return l, nil
}
