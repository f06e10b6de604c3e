//go:build unix

package look

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"bareed/internal/clock"
)

// The widths pages are judged at, and the height of the window.
const (
	wide   = 1360
	narrow = 320
	tall   = 900
)

// Cookie gives the tab's profile a cookie.
func (t *Tab) Cookie(site, name, value string) error {
	secure := strings.HasPrefix(name, "__Host-")
	_, err := chromedp.Call(t.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: site, Path: "/", Secure: &secure})
	if err != nil {
		return fmt.Errorf("set the cookie %s: %w", name, err)
	}
	return nil
}

// Open loads an address and waits for the page.
func (t *Tab) Open(address string) error {
	if err := t.do(chromedp.Navigate(address)); err != nil {
		return fmt.Errorf("open %s: %w", address, err)
	}
	return nil
}

// Width sets the width of the window, in CSS pixels.
func (t *Tab) Width(w int) error {
	return t.do(chromedp.EmulateViewport(int64(w), tall))
}

// Theme makes the system prefer light or dark.
func (t *Tab) Theme(theme string) error {
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	return err
}

// Eval evaluates an expression; a promise is awaited.
func Eval[T any](t *Tab, expression string) (T, error) {
	return ask(t, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Where is the path and query of the page that is shown.
func (t *Tab) Where() string {
	s, err := Eval[string](t, "location.pathname + location.search")
	if err != nil {
		return ""
	}
	return s
}

// Until waits until an expression is true; pages may change meanwhile.
func (t *Tab) Until(what, expression string) error {
	var last error
	for end := time.Now().Add(stepTime); time.Now().Before(end); {
		yes, err := Eval[bool](t, "!!("+expression+")")
		if yes && err == nil {
			return nil
		}
		last = err
		select {
		case <-t.ctx.Done():
			return t.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if last != nil {
		return fmt.Errorf("wait for %s at %s: %w", what, t.Where(), last)
	}
	return fmt.Errorf("%s did not come in %v; the page is %s", what, stepTime, t.Where())
}

// See waits until the page shows a text.
func (t *Tab) See(text string) error {
	return t.Until(fmt.Sprintf("%q", text), "document.body && document.body.innerText.includes("+quote(text)+")")
}

// Has waits until the page has an element.
func (t *Tab) Has(selector string) error {
	return t.Until(selector, "document.querySelector("+quote(selector)+")")
}

// Press clicks an element and waits for the next page.
func (t *Tab) Press(selector string) error {
	if err := t.Click(selector); err != nil {
		return err
	}
	return t.arrive("the page after " + selector)
}

// leave marks the document in which something was pressed, so that the next one
// can be told from it. The document does so itself, in that moment: one that
// loads itself again meanwhile must not pass for the next.
const leave = `for (const e of ["click", "keydown"]) addEventListener(e, () => { window.left = true; }, true)`

func (t *Tab) arrive(what string) error {
	err := t.Until(what, "!window.left && document.readyState === 'complete'")
	if err != nil {
		state, _ := Eval[string](t, `[document.readyState, window.left ? "pressed" : "not pressed",
			...performance.getEntriesByType("resource").filter((e) => !e.responseEnd).map((e) => e.name)].join(", ")`)
		err = fmt.Errorf("%w (%s)", err, state)
	}
	return err
}

// Click clicks an element once it is there and visible.
func (t *Tab) Click(selector string) error { return t.Hold(selector, nil) }

// Hold presses the button of the mouse over an element once it is there and
// visible, does something meanwhile and releases the button. Where the element is
// is asked at that moment, because a page that is live exchanges its elements: the
// browser finds what was found before no longer.
func (t *Tab) Hold(selector string, meanwhile func() error) error {
	at, err := t.spot(selector)
	if err == nil {
		err = t.mouse(input.DispatchMouseEventTypeMousePressed, at)
	}
	if err == nil && meanwhile != nil {
		err = meanwhile()
	}
	if err == nil {
		err = t.mouse(input.DispatchMouseEventTypeMouseReleased, at)
	}
	if err != nil {
		return fmt.Errorf("click %s at %s: %w", selector, t.Where(), err)
	}
	return nil
}

// spot is where a mouse has to point at to hit an element. Seen tells whether the
// element has a size there.
type spot struct {
	X, Y float64
	Seen bool
}

// spot brings an element into the window. It waits until there is one to be seen
// and it stands still: a page that has just loaded again is still moved to where it
// was before, and a click would hit what stands there instead.
func (t *Tab) spot(selector string) (at spot, err error) {
	where := fmt.Sprintf(`(() => { const e = document.querySelector(%s);
		if (!e || document.readyState !== "complete" || getComputedStyle(e).visibility !== "visible") return {};
		e.scrollIntoViewIfNeeded();
		const r = [...e.getClientRects()].find((r) => r.width && r.height);
		return r ? {x: r.x + r.width / 2, y: r.y + r.height / 2, seen: true} : {}; })()`, quote(selector))
	var before spot
	for end := time.Now().Add(stepTime); time.Now().Before(end); before = at {
		if at, err = Eval[spot](t, where); at.Seen && at == before && err == nil {
			return at, nil
		}
		if !clock.Pause(t.ctx, 20*time.Millisecond) {
			return at, t.ctx.Err()
		}
	}
	if err == nil {
		err = fmt.Errorf("it was not to be seen in %v", stepTime)
	}
	return at, err
}

func (t *Tab) mouse(event input.DispatchMouseEventType, at spot) error {
	_, err := chromedp.Call(t.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: event, X: at.X, Y: at.Y,
		Button: input.MouseButtonLeft, ClickCount: 1})
	return err
}

// Fill replaces what stands in a field by typing.
func (t *Tab) Fill(selector, text string) error {
	err := t.Until(selector, fmt.Sprintf(`(() => { const e = document.querySelector(%s); if (!e) return false;
		e.focus(); e.select && e.select(); return document.activeElement === e; })()`, quote(selector)))
	if err == nil {
		err = t.Type(text)
	}
	if err != nil {
		return fmt.Errorf("fill %s at %s: %w", selector, t.Where(), err)
	}
	return nil
}

// Choose picks an option of a select by its value.
func (t *Tab) Choose(selector, value string) error {
	yes, err := Eval[bool](t, fmt.Sprintf(`(() => { const s = document.querySelector(%s); if (!s) return false;
		s.value = %s; s.dispatchEvent(new Event("change", {bubbles: true})); return s.value === %s; })()`, quote(selector), quote(value), quote(value)))
	if err != nil {
		return fmt.Errorf("choose %s in %s: %w", value, selector, err)
	}
	if !yes {
		return fmt.Errorf("there is no %s in %s at %s", value, selector, t.Where())
	}
	return nil
}

// File hands a file to a field. One that the page exchanges after it was found is
// looked for again.
func (t *Tab) File(selector, path string) error {
	err := t.do(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}))
	for range 5 {
		var gone *cdproto.Error
		if !errors.As(err, &gone) || gone.Code != noNode {
			break
		}
		err = t.do(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}))
	}
	if err != nil {
		return fmt.Errorf("hand a file to %s at %s: %w", selector, t.Where(), err)
	}
	return nil
}

// noNode is the code with which Chromium says that a node is not there any more.
const noNode = -32000

// Type types at whatever has the focus.
func (t *Tab) Type(text string) error { return t.do(chromedp.KeyEvent(text)) }

// TabTo presses the Tab key until an element has the focus, as a person without
// a mouse does; it fails after 80 steps, and when the focus cannot be seen.
func (t *Tab) TabTo(selector string) error {
	for range 80 {
		if err := t.Type(kb.Tab); err != nil {
			return err
		}
		got, err := t.focus(selector)
		if err != nil {
			return err
		}
		switch got {
		case "seen":
			return nil
		case "unseen", "away":
			return fmt.Errorf("%s has the focus at %s and it is %s", selector, t.Where(), got)
		}
	}
	return fmt.Errorf("the Tab key does not reach %s at %s", selector, t.Where())
}

// focus tells whether an element has the focus and how it is seen: seen, unseen,
// away (not in the window; a part that is shown meanwhile may push it out, and the
// page brings it back) or nothing.
func (t *Tab) focus(selector string) (got string, err error) {
	for range 20 {
		got, err = Eval[string](t, fmt.Sprintf(`(() => { const e = document.activeElement; if (!e || !e.matches(%s)) return "";
			const s = getComputedStyle(e), r = e.getBoundingClientRect();
			if (r.bottom < 0 || r.top > innerHeight) return "away";
			return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none" ? "seen" : "unseen"; })()`, quote(selector)))
		if got != "away" || err != nil || !clock.Pause(t.ctx, 50*time.Millisecond) {
			break
		}
	}
	return got, err
}

// PressEnter presses Enter and waits for the next page.
func (t *Tab) PressEnter() error {
	if err := t.Type(kb.Enter); err != nil {
		return err
	}
	return t.arrive("the page after Enter")
}

// Key names for Type.
const (
	Space = " "
	Enter = kb.Enter
)

// Shot is a picture of the whole page.
func (t *Tab) Shot() ([]byte, error) {
	return ask(t, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		size, err := cdp.Call(ctx, target, page.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		yes, box := true, size.CSSContentSize
		beyond := box.Height > float64(size.CSSLayoutViewport.ClientHeight) // else Chromium shifts a page that runs from right to left
		shot, err := cdp.Call(ctx, target, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng,
			CaptureBeyondViewport: &beyond, OptimizeForSpeed: &yes,
			Clip: &page.Viewport{Width: box.Width, Height: min(box.Height, 6000), Scale: 1}})
		return shot.Data, err
	})
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}
