package live

import (
	"sync"

	"bareed/campaigns"
)

// Update is what a viewer has not seen yet. Its parts are shared by all viewers
// of the campaign: read them, never change them.
type Update struct {
	Events  []*Entry // oldest first, without gaps; show them before the picture
	Picture *Picture // the newest figures; nil when they have not changed
}

// Beat tells that nothing happened for a while and the line should show that it
// is still there: a comment in an event stream, nothing on a page.
func (u Update) Beat() bool { return len(u.Events) == 0 && u.Picture == nil }

// Picture is the report at one moment.
type Picture struct {
	// Version counts a campaign's pictures in this process while anybody
	// watches; it begins anew afterwards.
	Version int64
	Report  campaigns.Report
	JSON    []byte // the report as the API writes it

	made renderings
}

// Render returns what f made of the report under that key, made once for all
// viewers: a page's fragment in one language, say under "ar/figures". So f may
// depend on the key and the report alone, never on who looks. What was made
// goes when the picture goes.
func (p *Picture) Render(key string, f func(campaigns.Report) ([]byte, error)) ([]byte, error) {
	return p.made.once(key, func() ([]byte, error) { return f(p.Report) })
}

// Entry is an event.
type Entry struct {
	campaigns.Event
	made renderings
}

// Render is Picture.Render for the event.
func (e *Entry) Render(key string, f func(campaigns.Event) ([]byte, error)) ([]byte, error) {
	return e.made.once(key, func() ([]byte, error) { return f(e.Event) })
}

func entries(events []campaigns.Event) []*Entry {
	list := make([]*Entry, len(events))
	for i, e := range events {
		list[i] = &Entry{Event: e}
	}
	return list
}

// renderings is what was made of one thing, by key. It is bounded by the keys
// callers use, which are literals.
type renderings struct {
	mu   sync.Mutex
	made map[string]func() ([]byte, error)
}

func (r *renderings) once(key string, f func() ([]byte, error)) ([]byte, error) {
	r.mu.Lock()
	made, ok := r.made[key]
	if !ok {
		made = sync.OnceValues(f)
		if r.made == nil {
			r.made = make(map[string]func() ([]byte, error))
		}
		r.made[key] = made
	}
	r.mu.Unlock()
	return made()
}
