package api

import (
	"bareed/accounts"
	"bareed/internal/pg"
)

// Describe is the OpenAPI description as a running server gives it, without
// one: no handler is called, so nothing behind them is needed.
func Describe() ([]byte, error) {
	s, err := New(Config{Pool: &pg.Pool{}, Vault: &accounts.Vault{}, Hasher: &accounts.Hasher{}})
	if err != nil {
		return nil, err
	}
	return s.OpenAPI()
}
