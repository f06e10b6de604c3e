// Package config reads the program's settings from environment variables, once
// and at the start. cmd calls it and hands the values on; nothing else in the
// product reads the environment. It knows no product noun.
//
// One table (table.go) drives the reading, the checks and the page of settings
// in the documentation.
package config

import (
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config is every setting, checked.
type Config struct {
	DatabaseURL       string // the migrations' login, and everybody's without the next two
	DatabaseAppURL    string // "" for DatabaseURL
	DatabaseEngineURL string // "" for DatabaseURL
	DatabaseConns     int    // of each pool
	Redis             *redis.Options

	GraphURL     string // without a closing slash; the sandbox of this machine by default
	GraphVersion string // vN.0

	MasterKeys Keys // the highest version seals, all of them open

	Listen         string // host:port
	BaseURL        string // scheme and host, without a closing slash
	TrustedProxies []netip.Prefix

	WorkerSlots   int
	WorkerServers int
	ShutdownGrace time.Duration

	UnknownHorizon time.Duration // of messages without an answer
	EvidenceAfter  time.Duration

	Waves         string // of workspaces that set nothing; checked by its owner
	BreakerLimits string // of thresholds; checked by its owner

	BlockedCountries string // no campaign goes there; checked by its owner

	LogFormat string // json or text
	LogLevel  slog.Level

	SandboxListen  string // host:port
	SandboxJournal string // a file, or "" for none
	MetricsListen  string // host:port, or "" for none
}

// Keys is the master keys by version, as seal.NewRing takes them.
type Keys map[uint16][]byte

// String keeps the keys out of logs.
func (k Keys) String() string { return fmt.Sprintf("master keys %v", slices.Sorted(maps.Keys(k))) }

// GoString keeps the keys out of %#v.
func (k Keys) GoString() string { return k.String() }

// LogValue keeps the keys out of structured logs.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Problems is what is wrong with the environment: one sentence each, secrets
// left out.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

// Load reads the environment (os.Environ). The variables named in required must
// be set, since each process needs others. The error is Problems: every bad,
// missing or unknown variable.
func Load(environ []string, required ...string) (*Config, error) {
	values, problems := lookup(environ)
	c := &Config{}
	for _, s := range table {
		value, set := values[s.Name]
		if !set {
			if slices.Contains(required, s.Name) {
				problems = append(problems, fmt.Sprintf("%s is not set: it must be %s", s.Name, s.Wants))
				continue
			}
			value = s.Default
		}
		if value == "" && !set {
			continue
		}
		if err := s.parse(c, value); err != nil {
			problems = append(problems, fmt.Sprintf("%s is %s: it must be %s%s", s.Name, s.shown(value), s.Wants, reason(err)))
		}
	}
	if problems != nil {
		return nil, problems
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + c.Listen
	}
	return c, nil
}

func reason(err error) string {
	if err == errForm {
		return ""
	}
	return " (" + err.Error() + ")"
}

// lookup picks our variables out of the environment. NAME_FILE names a file
// with the value of a secret NAME. An empty value counts as not set.
func lookup(environ []string) (map[string]string, Problems) {
	values := map[string]string{}
	var problems Problems
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		s, fromFile := find(name)
		switch {
		case s == nil && strings.HasPrefix(name, "BAREED_"):
			problems = append(problems, fmt.Sprintf("%s is no setting%s", name, nearest(name)))
		case s == nil || value == "":
		case fromFile:
			b, err := os.ReadFile(value)
			text := strings.TrimSpace(string(b))
			if err != nil || text == "" {
				problems = append(problems, fmt.Sprintf("%s is %q: it must be a file that can be read and is not empty", name, value))
				continue
			}
			if _, twice := values[s.Name]; twice {
				problems = append(problems, fmt.Sprintf("%s and %s are both set: one of them is enough", s.Name, name))
			}
			values[s.Name] = text
		default:
			if _, twice := values[name]; twice {
				problems = append(problems, fmt.Sprintf("%s and %s_FILE are both set: one of them is enough", name, name))
			}
			values[name] = strings.TrimSpace(value)
		}
	}
	slices.Sort(problems) // the environment has no order
	return values, problems
}

// find returns the setting a variable stands for.
func find(name string) (s *setting, fromFile bool) {
	for i := range table {
		if table[i].Name == name {
			return &table[i], false
		}
		if table[i].Secret && table[i].Name+"_FILE" == name {
			return &table[i], true
		}
	}
	return nil, false
}

// nearest suggests the setting that is closest in spelling.
func nearest(name string) string {
	best, bestAt := "", len(name)/2
	for _, s := range table {
		if d := distance(name, s.Name); d < bestAt {
			best, bestAt = s.Name, d
		}
	}
	if best == "" {
		return ": see the table of settings"
	}
	return ": did you mean " + best + "?"
}

// distance is the number of letters to add, remove or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
