//go:build unix

// Package look drives a browser and judges what it shows: accessibility by
// axe-core, overflow, language and direction, untranslated text, errors in the
// console, violations of the content policy, and requests to other machines.
// internal/e2e calls it. It knows pages, not the product.
package look

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Config of a browser.
type Config struct {
	Program string  // path of Chromium
	Axe     string  // source of axe-core; empty leaves accessibility unjudged
	Words   Lexicon // what may stand untranslated
}

// Browser is one Chromium without a window.
type Browser struct {
	Config
	ctx    context.Context
	cancel func()
}

// Start starts the browser. It can reach this machine alone.
func Start(ctx context.Context, c Config) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(c.Program),
		chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
		chromedp.Flag("force-prefers-reduced-motion", true), // colours are judged at rest
		chromedp.Flag("lang", "en-US"),
		chromedp.WindowSize(wide, tall),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own refuses root
	}
	all, end := chromedp.NewExecAllocator(ctx, options...)
	first, cancel := chromedp.NewContext(all)
	if err := chromedp.Do(first); err != nil {
		cancel()
		end()
		return nil, fmt.Errorf("start %s: %w", c.Program, err)
	}
	return &Browser{Config: c, ctx: first, cancel: func() { cancel(); end() }}, nil
}

// Close ends the browser.
func (b *Browser) Close() { b.cancel() }

// Profile opens a tab with cookies of its own.
func (b *Browser) Profile() (*Tab, error) {
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	return b.tab(ctx, cancel)
}

// Beside opens another tab with the same cookies.
func (t *Tab) Beside() (*Tab, error) {
	ctx, cancel := chromedp.NewContext(t.ctx)
	return t.browser.tab(ctx, cancel)
}

func (b *Browser) tab(ctx context.Context, cancel func()) (*Tab, error) {
	t := &Tab{browser: b, ctx: ctx, Close: cancel}
	if err := chromedp.Listen(ctx, t.hear); err != nil {
		cancel()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: leave})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	return t, nil
}

// Tab is one page of the browser. It is used by one goroutine at a time.
type Tab struct {
	browser *Browser
	ctx     context.Context
	Close   func()

	mu    sync.Mutex
	noise []Fault
}

// hear takes what goes wrong beside the page itself. It runs in the loop that
// reads from the browser and must not ask it anything.
func (t *Tab) hear(ev any) {
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		t.heard(Fault{Kind: Console, Rule: "exception", Detail: text})
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			var said []string
			for _, a := range e.Args {
				said = append(said, strings.Trim(string(a.Value), `"`)+a.Description)
			}
			t.heard(Fault{Kind: Console, Rule: "console.error", Detail: strings.Join(said, " ")})
		}
	case *log.EventEntryAdded:
		t.logged(e.Entry)
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && abroad(u) {
			t.heard(Fault{Kind: Outside, Rule: "request", Where: e.Request.URL, Detail: "the page asked another machine"})
		}
	}
}

func (t *Tab) logged(e *log.Entry) {
	if e.Level != log.EntryLevelError {
		return
	}
	f := Fault{Kind: Console, Rule: string(e.Source), Where: e.URL, Detail: e.Text}
	if strings.Contains(e.Text, "Content Security Policy") || strings.Contains(e.Text, "violates the following") {
		f.Kind = Policy
	}
	t.heard(f)
}

// abroad tells whether a request leaves this machine.
func abroad(u *url.URL) bool {
	switch u.Scheme {
	case "http", "https", "ws", "wss", "ftp":
		return u.Hostname() != "127.0.0.1"
	}
	return false
}

func (t *Tab) heard(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noise = append(t.noise, f)
}

// Noise returns what was heard since it was last asked.
func (t *Tab) Noise() []Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.noise
	t.noise = nil
	return n
}

// stepTime bounds every single step in a page.
const stepTime = time.Minute

func (t *Tab) do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(t.ctx, stepTime)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

func ask[T any](t *Tab, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, stepTime)
	defer cancel()
	return chromedp.Run(ctx, a)
}
