package config_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"bareed/internal/config"
)

var (
	key1 = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	key2 = base64.StdEncoding.EncodeToString([]byte("fedcba9876543210fedcba9876543210"))
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{"HOME=/", "PATH=x"})
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{GraphURL: "http://127.0.0.1:8090",
		DatabaseConns: 16, GraphVersion: "v25.0", Listen: "127.0.0.1:8080", BaseURL: "http://127.0.0.1:8080",
		WorkerSlots: 128, WorkerServers: 4, ShutdownGrace: 25 * time.Second, UnknownHorizon: 24 * time.Hour, EvidenceAfter: 15 * time.Minute, Waves: "by_risk",
		LogFormat: "json", LogLevel: slog.LevelInfo, SandboxListen: "127.0.0.1:8090",
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{
		"DATABASE_URL=postgres://u:p@h/d", "REDIS_URL=unix:///run/r.sock?db=3",
		"BAREED_GRAPH_URL=https://graph.facebook.com/", "BAREED_MASTER_KEY=2:" + key2 + ", 1:" + key1,
		"BAREED_BASE_URL=https://bareed.example/", "BAREED_TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7",
		"BAREED_METRICS_LISTEN=:9090", "BAREED_LOG_LEVEL=warn",
	}, "DATABASE_URL", "REDIS_URL", "BAREED_MASTER_KEY")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.DatabaseURL, c.Redis.Network, c.Redis.Addr, c.Redis.DB, c.GraphURL, c.BaseURL,
		c.TrustedProxies, c.MetricsListen, c.LogLevel, c.MasterKeys)
	want := "postgres://u:p@h/d unix /run/r.sock 3 https://graph.facebook.com https://bareed.example " +
		"[10.0.0.0/8 192.0.2.7/32] :9090 WARN master keys [1 2]"
	if squeeze(got) != squeeze(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if string(c.MasterKeys[2][:4]) != "fedc" || string(c.MasterKeys[1][:4]) != "0123" {
		t.Error("the keys are mixed up")
	}
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestBadValuesStopTheStart(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	cases := []struct{ kv, says string }{
		{"DATABASE_URL=mysql://u:" + secret + "@h/d", "DATABASE_URL is set to something else: it must be a PostgreSQL URL"},
		{"DATABASE_URL=postgres://u:" + secret + "@h:port/d", "DATABASE_URL is set to"},
		{"REDIS_URL=redis-socket:///x?password=" + secret, "REDIS_URL is set to something else: it must be a Redis URL"},
		{"REDIS_URL=redis://:" + secret + "@h/notanumber", "REDIS_URL is set to"},
		{"BAREED_GRAPH_URL=http://graph.facebook.com", `BAREED_GRAPH_URL is "http://graph.facebook.com": it must be https://…`},
		{"BAREED_GRAPH_URL=https://u:p@graph.facebook.com", "BAREED_GRAPH_URL is"},
		{"BAREED_GRAPH_URL=ftp://127.0.0.1", "BAREED_GRAPH_URL is"},
		{"BAREED_GRAPH_URL=http://127.0.0.1.evil.example", "BAREED_GRAPH_URL is"},
		{"BAREED_GRAPH_VERSION=v23.0", "from v24.0 on"},
		{"BAREED_GRAPH_VERSION=25", "from v24.0 on"},
		{"BAREED_MASTER_KEY=" + secret, "BAREED_MASTER_KEY is set to something else: it must be 32 bytes in base64"},
		{"BAREED_MASTER_KEY=1:" + key1 + ",1:" + key2, "given twice"},
		{"BAREED_MASTER_KEY=0:" + key1, "versions from 1"},
		{"BAREED_LISTEN=8080", `BAREED_LISTEN is "8080": it must be host:port`},
		{"BAREED_LISTEN=:99999", "host:port"},
		{"BAREED_BASE_URL=https://h/path", "without a path"},
		{"BAREED_TRUSTED_PROXIES=all", "a list of addresses"},
		{"BAREED_WORKER_SLOTS=0", `BAREED_WORKER_SLOTS is "0": it must be a number from 1 to 4096`},
		{"BAREED_WORKER_SERVERS=many", "from 1 to 32"},
		{"BAREED_LOG=xml", "json or text"},
		{"BAREED_LOG_LEVEL=loud", "debug, info, warn or error"},
		{"BAREED_MASTER_KEY_FILE=/no/such", "must be a file that can be read"},
		{"BAREED_GRAF_URL=x", "BAREED_GRAF_URL is no setting: did you mean BAREED_GRAPH_URL?"},
		{"BAREED_LISTEN_FILE=x", "BAREED_LISTEN_FILE is no setting: did you mean BAREED_LISTEN?"},
		{"BAREED_Q=x", "BAREED_Q is no setting"},
	}
	for _, c := range cases {
		_, err := config.Load([]string{c.kv})
		if err == nil {
			t.Errorf("%s was taken", c.kv)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not say %q", c.kv, err, c.says)
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), key1) {
			t.Errorf("%s: the error shows the secret: %v", c.kv, err)
		}
	}
}

func TestGoodAddressesOfMeta(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"https://graph.facebook.com", "http://127.0.0.1:8090", "http://localhost:1", "http://[::1]:8090/x"} {
		if _, err := config.Load([]string{"BAREED_GRAPH_URL=" + v}); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load([]string{"BAREED_LOG=xml", "DATABASE_URL="}, "DATABASE_URL", "REDIS_URL")
	if err == nil {
		t.Fatal("taken")
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 3 {
		t.Errorf("%d problems:\n%v", got, err)
	}
	if !strings.Contains(err.Error(), "DATABASE_URL is not set: it must be a PostgreSQL URL") {
		t.Errorf("got %v", err)
	}
}

func TestSecretFromFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key1+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load([]string{"BAREED_MASTER_KEY_FILE=" + file}, "BAREED_MASTER_KEY")
	if err != nil || len(c.MasterKeys[1]) != 32 {
		t.Fatalf("%v", err)
	}
	for _, order := range [][]string{
		{"BAREED_MASTER_KEY_FILE=" + file, "BAREED_MASTER_KEY=" + key2},
		{"BAREED_MASTER_KEY=" + key2, "BAREED_MASTER_KEY_FILE=" + file},
	} {
		if _, err := config.Load(order); err == nil || !strings.Contains(err.Error(), "both set") {
			t.Errorf("both: %v", err)
		}
	}
}

func TestKeysStayOutOfLogs(t *testing.T) {
	t.Parallel()
	c, err := config.Load([]string{"BAREED_MASTER_KEY=" + key1})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", c.MasterKeys)
	fmt.Fprintf(&b, "%v %+v %#v", c.MasterKeys, *c, c.MasterKeys)
	if strings.Contains(b.String(), "0123") || strings.Contains(b.String(), "[48 49") {
		t.Errorf("a key is shown: %s", b.String())
	}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range config.Table() {
		if s.Wants == "" || s.Meaning == "" || seen[s.Name] {
			t.Errorf("%s: every setting once, with a meaning", s.Name)
		}
		seen[s.Name] = true
		if !strings.Contains(config.Markdown(), "`"+s.Name+"`") {
			t.Errorf("%s is not on the page", s.Name)
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s: a secret has no default", s.Name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range config.Table() {
		f.Add(s.Name, s.Default)
	}
	f.Add("REDIS_URL", "redis://h/0")
	f.Add("BAREED_MASTER_KEY", "1:"+key1)
	f.Fuzz(func(t *testing.T, name, value string) {
		c, err := config.Load([]string{name + "=" + value})
		if (c == nil) == (err == nil) {
			t.Errorf("config %v with error %v", c, err)
		}
	})
}
