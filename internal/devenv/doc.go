// Package devenv gets a developer's machine ready: it finds or starts
// PostgreSQL and Redis, keeps them private to this checkout, runs child
// processes that cannot outlive their parent, and leaves nothing running.
//
// cmd/dev, internal/pg/pgtest and internal/redistest use it. It imports nothing
// of the product, and the product never imports it.
//
// It runs on Linux and macOS; on Windows use WSL2.
package devenv
