package whatsapp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"bareed/internal/clock"
)

// DefaultVersion is the Graph API version used when none is configured.
const DefaultVersion = "v25.0"

// oldestVersion brought the portfolio's messaging limit and error 131059.
const oldestVersion = 24

// Size caps of answers, in bytes.
const (
	maxSendAnswer = 64 << 10
	maxReadAnswer = 8 << 20
)

// ErrBaseURL: the base URL is neither https nor loopback.
var ErrBaseURL = errors.New("the Graph URL must be https, or http on a loopback address")

var versionForm = regexp.MustCompile(`^v([0-9]{1,3})\.[0-9]{1,2}$`)

// Config says where Graph is and how to talk to it. Zero values take the
// defaults named at each field.
type Config struct {
	// BaseURL is https, or http on 127.0.0.0/8, ::1 or localhost (the sandbox).
	BaseURL string
	// Version of the Graph API, v24.0 or newer; DefaultVersion.
	Version string
	// SendTimeout bounds one message request from dial to last byte; 15 s.
	SendTimeout time.Duration
	// ReadTimeout bounds every other request; 20 s.
	ReadTimeout time.Duration
	// IdleConns is the keep-alive pool per host and must not be below the number
	// of sending slots, or connections are made anew all the time; 512.
	IdleConns int
	// RootCAs replaces the system's certificate authorities, for tests.
	RootCAs *x509.CertPool
	// Clock reads Retry-After dates; the system's.
	Clock clock.Clock
}

// Client talks to one Graph host. It is safe for concurrent use, follows no
// redirect, uses no proxy, sends no Idempotency-Key (net/http would then repeat
// a POST by itself) and never retries.
type Client struct {
	base        string // scheme://host[/path]/version, no slash at the end
	http        *http.Client
	sendTimeout time.Duration
	readTimeout time.Duration
	now         clock.Clock
	meter       *Meter // of one caller's copy; see Metered
}

// New checks the configuration and builds a client; it opens no connection.
func New(cfg Config) (*Client, error) {
	base, err := checkBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Version == "" {
		cfg.Version = DefaultVersion
	}
	if err := checkVersion(cfg.Version); err != nil {
		return nil, err
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	return &Client{
		base:        base + "/" + cfg.Version,
		http:        httpClient(cfg),
		sendTimeout: orDefault(cfg.SendTimeout, 15*time.Second),
		readTimeout: orDefault(cfg.ReadTimeout, 20*time.Second),
		now:         cfg.Clock,
	}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// httpClient speaks HTTP/1.1 only: a broken connection then leaves one message
// unknown, not every message that shared it.
func httpClient(cfg Config) *http.Client {
	idle := cfg.IdleConns
	if idle <= 0 {
		idle = 512
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // also not the environment's: the token must not pass one
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, NextProtos: []string{"http/1.1"}},
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxIdleConns:           0,
			MaxIdleConnsPerHost:    idle,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func checkBaseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return "", ErrBaseURL
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", ErrBaseURL
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}

func checkVersion(v string) error {
	m := versionForm.FindStringSubmatch(v)
	if m == nil {
		return fmt.Errorf("graph version %q: want the form %s", v, DefaultVersion)
	}
	if major, _ := strconv.Atoi(m[1]); major < oldestVersion {
		return fmt.Errorf("graph version %q is older than v%d.0", v, oldestVersion)
	}
	return nil
}

// roundTrip performs one request and reads its whole answer, at most limit
// bytes. The error never holds the URL (a token can stand in its query).
func (c *Client) roundTrip(req *http.Request, token Token, limit int64) (int, http.Header, []byte, error) {
	req.Header.Set("Authorization", "Bearer "+token.Raw())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "bareed")
	res, err := c.http.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return res.StatusCode, res.Header, nil, err
	}
	if int64(len(body)) > limit {
		return res.StatusCode, res.Header, nil, errTooLarge
	}
	return res.StatusCode, res.Header, body, nil
}

var errTooLarge = errors.New("the answer is larger than allowed")

// request builds a request below the version path; node must be a Graph id or a
// fixed name, edge a fixed name or empty.
func (c *Client) request(ctx context.Context, method, node, edge string, query url.Values, body io.Reader) (*http.Request, error) {
	u := c.base + "/" + node
	if edge != "" {
		u += "/" + edge
	}
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, errors.New("the request could not be built")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
