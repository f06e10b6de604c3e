//go:build unix

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"bareed/client"
)

// Client speaks with the API by a credential: a key or a session.
func (r *Rig) Client(credential string) *client.Client {
	c := client.Config{URL: r.URL, HTTP: r.HTTP, Tries: 20} // as a well-behaved client does
	if strings.HasPrefix(credential, "bk_") {
		c.Key = credential
	} else {
		c.Session = credential
	}
	made, err := client.New(c)
	if err != nil {
		panic(err) // the rig's own address
	}
	return made
}

// SignIn signs a person in and returns the session, a credential for Client.
func (r *Rig) SignIn(ctx context.Context, l Login) (string, error) {
	person, _, err := r.Client("").CreateSession(ctx, l.Email, l.Password, "")
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return person.Session(), nil
}

// Call speaks JSON with the API; in and out may be nil. A refusal is a
// *client.Problem.
func (r *Rig) Call(ctx context.Context, credential, method, path string, in, out any) error {
	return r.Client(credential).Call(ctx, method, path, in, out)
}

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
