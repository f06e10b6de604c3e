package deploy_test

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"bareed/internal/config"
)

// variable is one that Compose puts in place; $$ is none.
var variable = regexp.MustCompile(`(?:^|[^$])\$\{([A-Z_]+)`)

var pinned = regexp.MustCompile(`^[a-z/.-]+:\d+\.\d+(\.\d+)?([-.][a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)

// change is a broken variant: the first from is replaced by to.
type change struct{ from, to string }

// composeRule is what every service must keep; check says what is wrong with
// one, or nothing.
type composeRule struct {
	name   string
	check  func(p *types.Project, s types.ServiceConfig) string
	broken []change
}

func composeRules() []composeRule {
	return []composeRule{
		{"an image is pinned", imagePinned, []change{
			{"image: postgres:17.6", "image: postgres:latest"}, {"image: redis:7.4.6", "image: redis"}, {"image: redis:7.4.6", "image: redis:7"}}},
		{"one has a health check or ends by itself", healthOrOnce, []change{
			{"healthcheck: *healthy", "healthcheck: {disable: true}"}, {"command: [migrate]\n    restart: \"no\"", "command: [migrate]"}}},
		{"only the API is reached from outside, from this machine", onlyAPI, []change{
			{"127.0.0.1:8080}:8080", "8080}:8080"}, {"image: redis:7.4.6", "image: redis:7.4.6\n    ports: [\"127.0.0.1:1:6379\"]"}}},
		{"one has the time to stop", grace, []change{{"stop_grace_period: 30s", "stop_grace_period: 10s"}}},
		{"the root is read-only", readOnly, []change{{"read_only: true", "read_only: false"}}},
		{"no capability", capabilities, []change{
			{"cap_drop: [ALL]", "cap_drop: [NET_RAW]"}, {"command: [worker]", "command: [worker]\n    cap_add: [NET_ADMIN]"},
			{"SETUID]", "SETUID, SYS_ADMIN]"}}},
		{"no new privileges, no part of the host", privileges, []change{
			{`security_opt: ["no-new-privileges:true"]`, "security_opt: []"}, {"command: [worker]", "command: [worker]\n    privileged: true"},
			{"command: [worker]", "command: [worker]\n    pid: host"},
			{"command: [worker]", "command: [worker]\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]"}}},
		{"one is started again", restarted, []change{{"restart: unless-stopped", "restart: \"no\""}}},
		{"logs are rotated", rotated, []change{{`{max-size: 20m, max-file: "5"}`, `{max-size: 20m}`}}},
		{"memory and processes are limited", limited, []change{{"{memory: 1g, pids: 256}", "{pids: 256}"}}},
		{"the settings are ours and right", settings, []change{
			{"BAREED_LOG: json", "BAREED_LOGS: json"}, {"BAREED_LOG: json", "BAREED_LOG: xml"},
			{"redis://:", "http://:"}, {"BAREED_LOG: json", "BAREED_LOG: json\n  PGPASSWORD: x"}}},
		{"it is Meta, unless said otherwise", meta, []change{
			{"${BAREED_GRAPH_URL:-https://graph.facebook.com}", "${BAREED_GRAPH_URL:-http://127.0.0.1:8090}"}}},
		{"the owner's login is migrate's alone", ownLogins, []change{
			{"DATABASE_URL: postgres://bareed_api:", "DATABASE_URL: postgres://bareed_migrate:"}}},
		{"one waits for what it needs", waits, []change{
			{"{condition: service_completed_successfully}", "{condition: service_started}"},
			{"redis: {condition: service_healthy}", "redis: {condition: service_started}"}}},
		{"one can be started more than once", scalable, []change{
			{"command: [worker]", "command: [worker]\n    container_name: only"}, {"command: [scheduler]", "command: [scheduler]\n    hostname: only"}}},
		{"databases have no way out", inside, []change{{"data: {internal: true}", "data: {}"}}},
		{"the databases' settings are safe", databases, []change{
			{"--appendonly yes", "--appendonly no"}, {"noeviction", "allkeys-lru"}, {"image: postgres:17.6", "image: postgres:14.1"},
			{"max_locks_per_transaction=256", "fsync=off"}, {"wal_compression=on", "synchronous_commit=off"}}},
	}
}

// ours tells whether a service runs the product.
func ours(s types.ServiceConfig) bool { return strings.HasPrefix(s.Image, "bareed:") }

func once(s types.ServiceConfig) bool { return s.Name == "migrate" }

func imagePinned(_ *types.Project, s types.ServiceConfig) string {
	if ours(s) {
		if s.Build == nil || s.Image == "bareed:latest" {
			return "our own image must be built, under a tag of its own"
		}
		return ""
	}
	if !pinned.MatchString(s.Image) {
		return s.Image
	}
	return ""
}

func healthOrOnce(p *types.Project, s types.ServiceConfig) string {
	if s.HealthCheck != nil && !s.HealthCheck.Disable && len(s.HealthCheck.Test) > 1 {
		return ""
	}
	waitedFor := false
	for _, other := range p.Services {
		waitedFor = waitedFor || other.DependsOn[s.Name].Condition == types.ServiceConditionCompletedSuccessfully
	}
	if s.Restart == "no" && waitedFor {
		return ""
	}
	return "neither"
}

func onlyAPI(_ *types.Project, s types.ServiceConfig) string {
	for _, port := range s.Ports {
		if s.Name != "api" || port.Target != 8080 {
			return fmt.Sprintf("publishes %d", port.Target)
		}
		if ip := net.ParseIP(port.HostIP); ip == nil || !ip.IsLoopback() {
			return "is published to everybody by default"
		}
	}
	return ""
}

func grace(_ *types.Project, s types.ServiceConfig) string {
	c, err := config.Load(nil)
	if err != nil {
		return err.Error()
	}
	if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) < c.ShutdownGrace+5*time.Second {
		return fmt.Sprintf("less than %s", c.ShutdownGrace+5*time.Second)
	}
	return ""
}

func readOnly(_ *types.Project, s types.ServiceConfig) string {
	if !s.ReadOnly {
		return "may be written"
	}
	if ours(s) && len(s.Tmpfs)+len(s.Volumes) > 0 {
		return "the product writes no file"
	}
	return ""
}

func capabilities(_ *types.Project, s types.ServiceConfig) string {
	if !slices.Equal(s.CapDrop, []string{"ALL"}) {
		return "keeps capabilities"
	}
	allowed := map[string][]string{"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}
	for _, c := range s.CapAdd {
		if !slices.Contains(allowed[s.Name], c) {
			return "adds " + c
		}
	}
	return ""
}

func privileges(_ *types.Project, s types.ServiceConfig) string {
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		return "may gain privileges"
	}
	if s.Privileged || s.Pid == "host" || s.Ipc == "host" || s.NetworkMode == "host" {
		return "has a part of the host"
	}
	for _, v := range s.Volumes {
		if strings.Contains(v.Source, "docker.sock") {
			return "reaches the Docker engine"
		}
	}
	return ""
}

func restarted(_ *types.Project, s types.ServiceConfig) string {
	if want := "unless-stopped"; !once(s) && s.Restart != want {
		return s.Restart
	}
	return ""
}

func rotated(_ *types.Project, s types.ServiceConfig) string {
	if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
		return "its log grows without end"
	}
	return ""
}

func limited(_ *types.Project, s types.ServiceConfig) string {
	if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 || s.Deploy.Resources.Limits.Pids == 0 {
		return "may take the whole machine"
	}
	return ""
}

func environ(s types.ServiceConfig) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if v := s.Environment[name]; v != nil {
			list = append(list, name+"="+*v)
		}
	}
	return list
}

// settings reads a service's environment as the program would: a bad, missing
// or unknown variable is a fault; so is one that is not in the table at all.
func settings(_ *types.Project, s types.ServiceConfig) string {
	if !ours(s) {
		return ""
	}
	known := map[string]bool{"GOMEMLIMIT": true}
	for _, x := range config.Table() {
		known[x.Name] = true
	}
	for name := range s.Environment {
		if !known[name] {
			return name + " is no setting"
		}
	}
	required := []string{"DATABASE_URL", "REDIS_URL", "BAREED_MASTER_KEY"}
	switch s.Name {
	case "migrate":
		required = required[:1]
	case "sandbox":
		required = nil
	}
	if _, err := config.Load(environ(s), required...); err != nil {
		return err.Error()
	}
	return ""
}

// meta: only in a rehearsal, where the worker joins the API's network, may the
// sandbox be in Meta's place.
func meta(p *types.Project, s types.ServiceConfig) string {
	if s.Name != "api" && s.Name != "worker" {
		return ""
	}
	c, err := config.Load(environ(s))
	if err != nil {
		return err.Error()
	}
	rehearsal := p.Services["worker"].NetworkMode == "service:api" && c.GraphURL == "http://127.0.0.1:8090"
	if c.GraphURL != "https://graph.facebook.com" && !rehearsal {
		return c.GraphURL
	}
	return ""
}

func ownLogins(_ *types.Project, s types.ServiceConfig) string {
	for name, v := range s.Environment {
		if ours(s) && !once(s) && v != nil && strings.Contains(*v, "bareed_migrate") {
			return name
		}
	}
	return ""
}

func waits(_ *types.Project, s types.ServiceConfig) string {
	if !ours(s) || s.Name == "sandbox" {
		return ""
	}
	need := map[string]string{"postgres": types.ServiceConditionHealthy}
	if !once(s) {
		need["migrate"], need["redis"] = types.ServiceConditionCompletedSuccessfully, types.ServiceConditionHealthy
	}
	for name, condition := range need {
		if s.DependsOn[name].Condition != condition {
			return "does not wait for " + name
		}
	}
	return ""
}

func scalable(_ *types.Project, s types.ServiceConfig) string {
	if s.Name != "worker" && s.Name != "scheduler" {
		return ""
	}
	if s.ContainerName != "" || s.Hostname != "" || len(s.Ports) > 0 || s.NetworkMode != "" {
		return "a second one would be in its way"
	}
	return ""
}

func inside(p *types.Project, s types.ServiceConfig) string {
	if s.Name != "postgres" && s.Name != "redis" {
		return ""
	}
	for name := range s.Networks {
		if !p.Networks[name].Internal {
			return "is in " + name
		}
	}
	return ""
}

func databases(_ *types.Project, s types.ServiceConfig) string {
	command := strings.Join(s.Command, " ")
	switch s.Name {
	case "redis":
		for _, want := range []string{"--appendonly yes", "--maxmemory-policy noeviction"} {
			if !strings.Contains(command, want) {
				return "without " + want
			}
		}
	case "postgres":
		var major int
		if _, err := fmt.Sscanf(s.Image, "postgres:%d", &major); err != nil || major < 15 {
			return s.Image + " is too old"
		}
		for _, bad := range []string{"fsync=off", "synchronous_commit=off", "synchronous_commit=local", "full_page_writes=off"} {
			if strings.Contains(command, bad) {
				return bad
			}
		}
	}
	return ""
}
