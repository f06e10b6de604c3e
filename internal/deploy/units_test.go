package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bareed/internal/config"
)

const unitDir = root + "deploy/systemd/"

// unit is a systemd unit: section → directive → its values in order.
type unit map[string]map[string][]string

func parseUnit(text string) unit {
	u, section := unit{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			u[section] = map[string][]string{}
			continue
		}
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") && section != "" {
			u[section][name] = append(u[section][name], value)
		}
	}
	return u
}

func (u unit) service(name string) string { return strings.Join(u["Service"][name], " ") }

// unitRule says what is wrong with a service, or nothing.
type unitRule struct {
	name   string
	check  func(u unit) string
	broken []change
}

// hardening is what each service is denied; systemd.exec(5) tells what each does.
var hardening = map[string]string{
	"DynamicUser": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "UMask": "0077",
	"ProtectSystem": "strict", "ProtectHome": "yes", "ProtectProc": "invisible", "ProtectClock": "yes", "ProtectHostname": "yes",
	"ProtectKernelLogs": "yes", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes",
	"PrivateTmp": "yes", "PrivateDevices": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces": "yes",
	"RestrictRealtime": "yes", "RestrictSUIDSGID": "yes", "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes",
	"SystemCallArchitectures": "native", "SystemCallFilter": "@system-service ~@privileged",
}

func unitRules() []unitRule {
	return []unitRule{
		{"it is hardened", func(u unit) string {
			for name, want := range hardening {
				if _, there := u["Service"][name]; !there || u.service(name) != want {
					return fmt.Sprintf("%s=%s", name, u.service(name))
				}
			}
			return ""
		}, []change{{"NoNewPrivileges=yes\n", ""}, {"ProtectSystem=strict", "ProtectSystem=full"}, {"CapabilityBoundingSet=\n", "CapabilityBoundingSet=CAP_NET_ADMIN\n"},
			{"DynamicUser=yes", "User=root"}}},
		{"it has the time to stop", unitStops, []change{{"TimeoutStopSec=30", "TimeoutStopSec=5"}, {"KillSignal=SIGTERM", "KillSignal=SIGKILL"}}},
		{"it is started again", func(u unit) string {
			if once := u.service("Type") == "oneshot"; once == (u.service("Restart") == "always") {
				return u.service("Type") + " " + u.service("Restart")
			}
			return ""
		}, []change{{"Restart=always\n", ""}}},
		{"secrets are credentials and nothing else", unitSecrets, []change{
			{"LoadCredential=app_url:/etc/bareed/app_url\n", ""}, {"DATABASE_APP_URL_FILE=%d/app_url", "DATABASE_APP_URL=postgres://x"}}},
		{"its settings are ours", unitSettings, []change{{"BAREED_METRICS_LISTEN=", "BAREED_METRIC_LISTEN="}, {"REDIS_URL_FILE=", "REDIS_URI_FILE="}}},
		{"memory and processes are limited", func(u unit) string {
			if u.service("MemoryMax") == "" || u.service("TasksMax") == "" {
				return "it may take the whole machine"
			}
			return ""
		}, []change{{"MemoryMax=", "MemoryHigh="}}},
		{"it belongs to the target", func(u unit) string {
			if strings.Join(u["Unit"]["PartOf"], "") != "bareed.target" || strings.Join(u["Install"]["WantedBy"], "") != "bareed.target" {
				return "it does not"
			}
			return ""
		}, []change{{"PartOf=bareed.target\n", ""}}},
	}
}

func unitStops(u unit) string {
	c, err := config.Load(nil)
	if err != nil {
		return err.Error()
	}
	var seconds int
	if _, err := fmt.Sscan(u.service("TimeoutStopSec"), &seconds); err != nil || time.Duration(seconds)*time.Second < c.ShutdownGrace+5*time.Second {
		return "TimeoutStopSec=" + u.service("TimeoutStopSec")
	}
	if u.service("KillSignal") != "SIGTERM" || u.service("KillMode") != "mixed" {
		return u.service("KillSignal") + " " + u.service("KillMode")
	}
	return ""
}

var fromCredential = regexp.MustCompile(`^([A-Z_]+)_FILE=%d/([a-z_]+)$`)

// unitSecrets: what is secret in the table of settings comes from a file that
// only root reads.
func unitSecrets(u unit) string {
	loaded := map[string]bool{}
	for _, c := range u["Service"]["LoadCredential"] {
		name, file, _ := strings.Cut(c, ":")
		loaded[name] = file == "/etc/bareed/"+name
	}
	for _, e := range u["Service"]["Environment"] {
		name, _, _ := strings.Cut(e, "=")
		secret := slices.ContainsFunc(config.Table(), func(s config.Setting) bool { return s.Secret && (s.Name == name || s.Name+"_FILE" == name) })
		if m := fromCredential.FindStringSubmatch(e); secret && (m == nil || !loaded[m[2]]) {
			return e
		}
	}
	return ""
}

func unitSettings(u unit) string {
	for _, e := range u["Service"]["Environment"] {
		name, value, _ := strings.Cut(e, "=")
		known := slices.ContainsFunc(config.Table(), func(s config.Setting) bool { return s.Name == name || s.Secret && s.Name+"_FILE" == name })
		if !known {
			return name + " is no setting"
		}
		if strings.Contains(value, "%d/") {
			continue
		}
		if _, err := config.Load([]string{name + "=" + strings.ReplaceAll(value, "%i", "1")}); err != nil {
			return err.Error()
		}
	}
	return ""
}

func units(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(unitDir + "*.service")
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v", files, err)
	}
	return files
}

func TestUnitsKeepTheRules(t *testing.T) {
	t.Parallel()
	for _, file := range units(t) {
		for _, r := range unitRules() {
			if why := r.check(parseUnit(read(t, file))); why != "" {
				t.Errorf("%s: %s: %s", filepath.Base(file), r.name, why)
			}
		}
	}
	text := read(t, unitDir+"bareed-api.service")
	for _, r := range unitRules() {
		for _, b := range r.broken {
			broken := strings.Replace(text, b.from, b.to, 1)
			if broken == text {
				t.Errorf("the unit does not hold %q any more", b.from)
			} else if r.check(parseUnit(broken)) == "" {
				t.Errorf("%s: %q is let through", r.name, b.to)
			}
		}
	}
}

// systemd stops in the reverse of the order it starts in: API, scheduler,
// workers.
func TestUnitsStopInOrder(t *testing.T) {
	t.Parallel()
	order := []string{"bareed-migrate.service", "bareed-worker@1.service", "bareed-scheduler.service", "bareed-api.service"}
	target := parseUnit(read(t, unitDir+"bareed.target"))
	for i, name := range order {
		u := parseUnit(read(t, unitDir+strings.Replace(name, "@1", "@", 1)))
		before := strings.Fields(strings.Join(u["Unit"]["Before"], " "))
		for _, later := range order[i+1:] {
			if !slices.Contains(before, later) {
				t.Errorf("%s does not start before %s", name, later)
			}
		}
		if !slices.Contains(strings.Fields(strings.Join(target["Unit"]["Wants"], " ")), name) {
			t.Errorf("the target does not want %s", name)
		}
	}
}

// systemd itself reads them where it is installed; the rules above hold anywhere.
func TestSystemdTakesTheUnits(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze on this machine: the units were checked by our rules alone")
		return
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bareed")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, file := range append(units(t), unitDir+"bareed.target") {
		name := strings.Replace(filepath.Base(file), "@.", "@1.", 1)
		text := strings.ReplaceAll(read(t, file), "/usr/bin/bareed", program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, filepath.Join(dir, name))
	}
	out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Unknown") || strings.Contains(string(out), "ignoring") {
		t.Errorf("%v\n%s", err, out)
	}
}
