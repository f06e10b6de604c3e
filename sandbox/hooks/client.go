package hooks

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"bareed/whatsapp"
)

// timeout bounds one POST or handshake.
const timeout = 10 * time.Second

// Client posts webhooks. It uses no proxy and follows no redirect.
type Client struct{ http *http.Client }

// NewClient keeps up to conns connections per receiver.
func NewClient(conns int) *Client {
	return &Client{http: &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{MaxIdleConnsPerHost: conns, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post signs the bytes and makes one try; only a 200 counts.
func (c *Client) Post(ctx context.Context, to string, body []byte, secret string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set(whatsapp.SignatureHeader, whatsapp.Sign(body, secret))
	res, err := c.http.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	return res.StatusCode == http.StatusOK
}

// Verify makes Meta's handshake: GET with a challenge that must come back as it is.
func (c *Client) Verify(ctx context.Context, callback, token, challenge string) error {
	u, err := url.Parse(callback)
	if err != nil {
		return fmt.Errorf("callback URL: %w", err)
	}
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.verify_token", token)
	q.Set("hub.challenge", challenge)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil || res.StatusCode != http.StatusOK || string(answer) != challenge {
		return fmt.Errorf("callback answered %d and not the challenge", res.StatusCode)
	}
	return nil
}
