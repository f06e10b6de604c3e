// Package wire disturbs the connections between the product's processes and
// what they talk to: each goes through a proxy in this process that can be cut,
// slowed, or made to swallow answers.
//
// The proof rig builds it and its nemesis pulls the switches. It knows addresses
// only, nothing of what is said over them.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Net is a set of links by name.
type Net struct {
	server *toxiproxy.ApiServer // never listens: it only carries what proxies need
	links  map[string]*Link
}

// New makes an empty set.
func New() *Net {
	return &Net{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), links: map[string]*Link{}}
}

// Link is one connection that can be disturbed. It is safe for concurrent use.
type Link struct {
	Name    string
	Address string // host:port to connect to
	mu      sync.Mutex
	proxy   *toxiproxy.Proxy
	up      bool
}

// Add opens a link to an upstream address, host:port.
func (n *Net) Add(name, upstream string) (*Link, error) {
	p := toxiproxy.NewProxy(n.server, name, "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("open the link %s: %w", name, err)
	}
	l := &Link{Name: name, Address: p.Listen, proxy: p, up: true}
	n.links[name] = l
	return l, nil
}

// Link returns a link that Add made.
func (n *Net) Link(name string) *Link { return n.links[name] }

// Close cuts every link for good.
func (n *Net) Close() {
	for _, l := range n.links {
		l.Cut()
	}
}

// Heal ends every disturbance of every link.
func (n *Net) Heal() error {
	for _, l := range n.links {
		if err := l.Heal(); err != nil {
			return err
		}
	}
	return nil
}

// Cut closes every connection and refuses new ones until Heal.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		l.proxy.Stop()
		l.up = false
	}
}

// Slow delays what comes back, so that the moment a request arrives stays true.
func (l *Link) Slow(by time.Duration) error {
	return l.toxic("latency", map[string]any{"latency": by.Milliseconds(), "jitter": by.Milliseconds() / 2})
}

// Mute lets requests through and swallows every answer until Heal, which closes
// those connections.
func (l *Link) Mute() error { return l.toxic("timeout", map[string]any{"timeout": 0}) }

// Drip hands answers back in small pieces, which cuts across every message.
func (l *Link) Drip() error {
	return l.toxic("slicer", map[string]any{"average_size": 64, "size_variation": 32, "delay": 500})
}

func (l *Link) toxic(kind string, attributes map[string]any) error {
	b, err := json.Marshal(map[string]any{"name": kind, "type": kind, "stream": "downstream", "toxicity": 1, "attributes": attributes})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.proxy.Toxics.GetToxic(kind) != nil {
		return nil // as it is already
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(b)); err != nil {
		return fmt.Errorf("disturb the link %s: %w", l.Name, err)
	}
	return nil
}

// Heal ends whatever disturbs the link.
func (l *Link) Heal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l.proxy.Toxics.ResetToxics(ctx)
	if l.up {
		return nil
	}
	if err := l.proxy.Start(); err != nil {
		return fmt.Errorf("open the link %s again: %w", l.Name, err)
	}
	l.up = true
	return nil
}
