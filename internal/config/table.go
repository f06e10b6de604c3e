package config

import (
	"cmp"
	"strings"
)

// Setting is one line of the page of settings.
type Setting struct {
	Name    string
	Default string // "" for none
	Wants   string // what a value must be, as it follows "it must be"
	Meaning string
	Secret  bool // never shown; NAME_FILE may name a file that holds it
}

type setting struct {
	Setting
	parse func(*Config, string) error
}

// table is every setting, in the order of the documentation.
var table = []setting{
	{Setting{Name: "DATABASE_URL", Wants: "a PostgreSQL URL like postgres://user:password@host/database", Secret: true,
		Meaning: "the database; its login owns the schema and may take on the program's roles"},
		func(c *Config, v string) error { return postgresURL(&c.DatabaseURL, v) }},
	{Setting{Name: "DATABASE_APP_URL", Wants: "a PostgreSQL URL like postgres://user:password@host/database", Secret: true,
		Meaning: "a login of its own for the role bareed_app; without it DATABASE_URL takes the role on"},
		func(c *Config, v string) error { return postgresURL(&c.DatabaseAppURL, v) }},
	{Setting{Name: "DATABASE_ENGINE_URL", Wants: "a PostgreSQL URL like postgres://user:password@host/database", Secret: true,
		Meaning: "a login of its own for the role bareed_engine, reached directly and not through a transaction pooler"},
		func(c *Config, v string) error { return postgresURL(&c.DatabaseEngineURL, v) }},
	{Setting{Name: "BAREED_DATABASE_CONNS", Default: "16", Wants: "a number from 2 to 500",
		Meaning: "connections in each of a process's two pools"},
		func(c *Config, v string) error { return number(&c.DatabaseConns, v, 2, 500) }},
	{Setting{Name: "REDIS_URL", Wants: "a Redis URL like redis://host:6379/0, rediss://… or unix:///path/redis.sock?db=0", Secret: true,
		Meaning: "the queue and the rate limits; it may be emptied at any moment"},
		func(c *Config, v string) (err error) { c.Redis, err = ParseRedis(v); return err }},

	{Setting{Name: "BAREED_GRAPH_URL", Default: "http://127.0.0.1:8090", Wants: "https://…, or http:// on this machine",
		Meaning: "where Meta's Graph API is, https://graph.facebook.com in earnest; the default is the sandbox of this machine, so that nothing leaves it by accident"},
		func(c *Config, v string) error { return safeURL(&c.GraphURL, v, true) }},
	{Setting{Name: "BAREED_GRAPH_VERSION", Default: "v25.0", Wants: "a version from v24.0 on",
		Meaning: "the Graph API's version in every request"},
		func(c *Config, v string) error { return graphVersion(&c.GraphVersion, v) }},
	{Setting{Name: "BAREED_MASTER_KEY", Wants: "32 bytes in base64, or a list of versions like 2:base64,1:base64", Secret: true,
		Meaning: "the key that wraps all others, made by openssl rand -base64 32; the highest version seals, older ones stay in the list until everything is sealed anew"},
		func(c *Config, v string) error { return masterKeys(&c.MasterKeys, v) }},

	{Setting{Name: "BAREED_LISTEN", Default: "127.0.0.1:8080", Wants: "host:port",
		Meaning: "where the api process serves the API, the pages and Meta's webhooks"},
		func(c *Config, v string) error { return address(&c.Listen, v) }},
	{Setting{Name: "BAREED_BASE_URL", Wants: "https://…, or http:// on this machine, without a path",
		Meaning: "the address people and Meta use; it is in links and callbacks. Default: http:// and BAREED_LISTEN"},
		func(c *Config, v string) error { return safeURL(&c.BaseURL, v, false) }},
	{Setting{Name: "BAREED_TRUSTED_PROXIES", Wants: "a list of addresses or networks like 10.0.0.0/8,192.0.2.7",
		Meaning: "whose X-Forwarded-For is believed; empty: nobody's"},
		func(c *Config, v string) error { return prefixes(&c.TrustedProxies, v) }},

	{Setting{Name: "BAREED_WORKER_SLOTS", Default: "128", Wants: "a number from 1 to 4096",
		Meaning: "messages a worker process sends at the same time"},
		func(c *Config, v string) error { return number(&c.WorkerSlots, v, 1, 4096) }},
	{Setting{Name: "BAREED_WORKER_SERVERS", Default: "4", Wants: "a number from 1 to 32",
		Meaning: "loops of a worker process that fetch from the send queue"},
		func(c *Config, v string) error { return number(&c.WorkerServers, v, 1, 32) }},
	{Setting{Name: "BAREED_SHUTDOWN_GRACE", Default: "25s", Wants: "a time from 1s to 5m",
		Meaning: "how long a process finishes what it has begun after SIGTERM"},
		func(c *Config, v string) error { return duration(&c.ShutdownGrace, v, "1s", "5m") }},

	{Setting{Name: "BAREED_UNKNOWN_HORIZON", Default: "24h", Wants: "a time from 1h to 168h",
		Meaning: "how long a message without an answer waits for its receipt before it is reported as unconfirmed"},
		func(c *Config, v string) error { return duration(&c.UnknownHorizon, v, "1h", "168h") }},
	{Setting{Name: "BAREED_EVIDENCE_AFTER", Default: "15m", Wants: "a time from 10m to 24h",
		Meaning: "how old an attempt without an answer must be before the evidence policy may prove that nothing was sent"},
		func(c *Config, v string) error { return duration(&c.EvidenceAfter, v, "10m", "24h") }},

	{Setting{Name: "BAREED_WAVES", Default: "by_risk", Wants: "by_risk, always or never",
		Meaning: "whether campaigns go in waves in workspaces that set nothing themselves (docs/WAVES.md)"},
		func(c *Config, v string) error { return oneOf(&c.Waves, v, "by_risk", "always", "never") }},
	{Setting{Name: "BAREED_BREAKER_LIMITS", Wants: "name=least..most, separated by commas, such as opt_outs_over=0.5..3,wave_wait=5..240, and optional=rule+rule",
		Meaning: "what workspaces may set the thresholds that hold a campaign to, and which rules they may switch off (docs/WAVES.md); empty: as built in"},
		func(c *Config, v string) error { c.BreakerLimits = v; return nil }},
	{Setting{Name: "BAREED_BLOCKED_COUNTRIES", Wants: "codes of two letters (ISO 3166-1), separated by commas, such as KP,CU",
		Meaning: "countries no workspace's campaign goes to (docs/CAPS.md); empty: none"},
		func(c *Config, v string) error { c.BlockedCountries = v; return nil }},

	{Setting{Name: "BAREED_LOG", Default: "json", Wants: "json or text", Meaning: "the form of the log on standard error"},
		func(c *Config, v string) error { return oneOf(&c.LogFormat, v, "json", "text") }},
	{Setting{Name: "BAREED_LOG_LEVEL", Default: "info", Wants: "debug, info, warn or error", Meaning: "the least severe line that is logged"},
		func(c *Config, v string) error { return level(&c.LogLevel, v) }},
	{Setting{Name: "BAREED_METRICS_LISTEN", Default: "127.0.0.1:0", Wants: "host:port",
		Meaning: "where worker and scheduler serve health and metrics; port 0: nowhere"},
		func(c *Config, v string) error { return optionalAddress(&c.MetricsListen, v) }},

	{Setting{Name: "BAREED_SANDBOX_LISTEN", Default: "127.0.0.1:8090", Wants: "host:port", Meaning: "where the sandbox plays Meta"},
		func(c *Config, v string) error { return address(&c.SandboxListen, v) }},
	{Setting{Name: "BAREED_SANDBOX_JOURNAL", Wants: "a path", Meaning: "the file in which the sandbox notes every request before it answers; empty: none"},
		func(c *Config, v string) error { c.SandboxJournal = v; return nil }},
}

// Table lists every setting for the documentation.
func Table() []Setting {
	out := make([]Setting, len(table))
	for i, s := range table {
		out[i] = s.Setting
	}
	return out
}

// Markdown is the page of settings that docs holds; a test there compares.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | default | must be | meaning |\n|---|---|---|---|\n")
	for _, s := range table {
		name := "`" + s.Name + "`"
		if s.Secret {
			name += " or `" + s.Name + "_FILE`"
		}
		b.WriteString("| " + name + " | " + cmp.Or(s.Default, "–") + " | " + s.Wants + " | " + s.Meaning + " |\n")
	}
	return b.String()
}

// shown is a value as an error message may hold it.
func (s Setting) shown(value string) string {
	if s.Secret {
		return "set to something else"
	}
	if len(value) > 80 {
		value = value[:80] + "…"
	}
	return `"` + value + `"`
}
