//go:build unix

package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sessionCookie is the name of the cookie that carries a person's session.
const sessionCookie = "__Host-session"

// SignIn signs a person in and returns the session, a credential for Call.
func (r *Rig) SignIn(ctx context.Context, l Login) (string, error) {
	b, err := json.Marshal(map[string]string{"email": l.Email, "password": l.Password})
	if err != nil {
		return "", fmt.Errorf("write the sign-in: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+"/v1/sessions", bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.HTTP.Do(req)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == sessionCookie {
			return c.Value, nil
		}
	}
	return "", fmt.Errorf("sign in: answered %s without a session", res.Status)
}

// Call speaks JSON with the API: credential is an API key or a session, in and
// out may be nil.
// A problem document becomes an *APIError.
func (r *Rig) Call(ctx context.Context, credential, method, path string, in, out any) error {
	var b []byte
	if in != nil {
		var err error
		if b, err = json.Marshal(in); err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
	}
	for {
		var body io.Reader
		if in != nil {
			body = bytes.NewReader(b)
		}
		err := r.Do(ctx, credential, method, path, "application/json", body, out)
		var e *APIError
		if !errors.As(err, &e) || e.Status != http.StatusTooManyRequests {
			return err
		}
		select { // as a well-behaved client does
		case <-ctx.Done():
			return err
		case <-time.After(max(e.RetryAfter, 100*time.Millisecond)):
		}
	}
}

// Do is Call with a body of any type.
func (r *Rig) Do(ctx context.Context, credential, method, path, contentType string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.URL+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if strings.HasPrefix(credential, "bk_") {
		req.Header.Set("Authorization", "Bearer "+credential)
	} else if credential != "" {
		req.Header.Set("Cookie", sessionCookie+"="+credential)
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	res, err := r.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode >= 300 {
		e := &APIError{Status: res.StatusCode, Body: string(b)}
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
			e.RetryAfter = time.Duration(s) * time.Second
		}
		_ = json.Unmarshal(b, e) // what is no problem document keeps its status and body
		return fmt.Errorf("%s %s: %w", method, path, e)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}

// APIError is a refusal of the API.
type APIError struct {
	Status     int           `json:"-"`
	Code       string        `json:"code"`
	Detail     string        `json:"detail"`
	Body       string        `json:"-"`
	RetryAfter time.Duration `json:"-"`
}

func (e *APIError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail) }

// Control posts to the sandbox's switches, or reads from them when in is nil.
func (r *Rig) Control(ctx context.Context, path string, in, out any) error {
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write to the sandbox: %w", err)
		}
		method, body = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Sandbox+path, body)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	res, err := r.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox refused %s: %s", path, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
