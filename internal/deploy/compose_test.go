package deploy_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// root is the repository seen from here.
const root = "../../"

const (
	composeFile   = root + "docker-compose.yml"
	rehearsalFile = root + "deploy/compose.rehearsal.yml"
)

// secrets are what .env must hold; nothing of them has a default.
func secrets() map[string]string {
	return map[string]string{
		"BAREED_MASTER_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		"POSTGRES_PASSWORD": "p1", "MIGRATE_PASSWORD": "p2", "APP_PASSWORD": "p3", "ENGINE_PASSWORD": "p4",
		"BACKUP_PASSWORD": "p5", "REDIS_PASSWORD": "p6",
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// load reads compose files as docker compose would, with nothing of this
// machine's environment.
func load(ctx context.Context, env map[string]string, profiles []string, texts ...string) (*types.Project, error) {
	details := types.ConfigDetails{WorkingDir: root, Environment: env}
	for i, text := range texts {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: fmt.Sprintf("compose%d.yml", i), Content: []byte(text)})
	}
	return loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SetProjectName("bareed", true)
		o.Profiles = profiles
	})
}

// faults applies every rule and returns what each has to say.
func faults(p *types.Project) map[string][]string {
	found := map[string][]string{}
	for _, r := range composeRules() {
		for _, name := range slices.Sorted(maps.Keys(p.Services)) {
			if why := r.check(p, p.Services[name]); why != "" {
				found[r.name] = append(found[r.name], name+": "+why)
			}
		}
	}
	return found
}

func TestComposeKeepsTheRules(t *testing.T) {
	t.Parallel()
	text := read(t, composeFile)
	for _, profiles := range [][]string{nil, {"sandbox"}} {
		p, err := load(t.Context(), secrets(), profiles, text)
		if err != nil {
			t.Fatal(err)
		}
		for rule, why := range faults(p) {
			t.Errorf("%s: %s", rule, strings.Join(why, "; "))
		}
	}
	want := []string{"api", "migrate", "postgres", "redis", "sandbox", "scheduler", "worker"}
	p, _ := load(t.Context(), secrets(), []string{"sandbox"}, text)
	if got := slices.Sorted(maps.Keys(p.Services)); !slices.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
}

// Each rule's broken variant makes that rule speak.
func TestEveryComposeRuleCanFail(t *testing.T) {
	t.Parallel()
	text := read(t, composeFile)
	for _, r := range composeRules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, b := range r.broken {
				broken := strings.Replace(text, b.from, b.to, 1)
				if broken == text {
					t.Fatalf("the file does not hold %q any more", b.from)
				}
				p, err := load(t.Context(), secrets(), []string{"sandbox"}, broken)
				if err != nil {
					t.Fatal(err)
				}
				if len(faults(p)[r.name]) == 0 {
					t.Errorf("%q for %q is let through", b.to, b.from)
				}
			}
			if len(r.broken) == 0 {
				t.Error("nothing shows that this rule can fail")
			}
		})
	}
}

// Without a secret nothing starts, and the sentence says which it is.
func TestComposeWantsEverySecret(t *testing.T) {
	t.Parallel()
	text := read(t, composeFile)
	for name := range secrets() {
		env := secrets()
		delete(env, name)
		_, err := load(t.Context(), env, nil, text)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "is not set in .env") {
			t.Errorf("without %s: %v", name, err)
		}
		env[name] = "" // as .env.example has it
		if _, err := load(t.Context(), env, nil, text); err == nil {
			t.Errorf("an empty %s is taken", name)
		}
	}
}

func TestComposeSchemaIsAsked(t *testing.T) {
	t.Parallel()
	text := strings.Replace(read(t, composeFile), "read_only: true", "readonly: true", 1)
	if _, err := load(t.Context(), secrets(), nil, text); err == nil {
		t.Error("a key that Compose does not know is let through")
	}
}

// In a rehearsal everybody who speaks to Meta speaks to the sandbox.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	p, err := load(t.Context(), secrets(), []string{"sandbox"}, read(t, composeFile), read(t, rehearsalFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"api", "worker"} {
		s := p.Services[name]
		if url := s.Environment["BAREED_GRAPH_URL"]; url == nil || *url != "http://127.0.0.1:8090" {
			t.Errorf("%s would not speak to the sandbox", name)
		}
	}
	for _, name := range []string{"worker", "sandbox"} {
		s := p.Services[name]
		if s.NetworkMode != "service:api" || len(s.Networks) > 0 {
			t.Errorf("%s is not in the API's network: %q %v", name, s.NetworkMode, s.Networks)
		}
	}
	delete(p.Services, "migrate") // it does not speak to Meta
	for rule, why := range faults(p) {
		if rule != "one waits for what it needs" && rule != "one can be started more than once" {
			t.Errorf("%s: %s", rule, strings.Join(why, "; "))
		}
	}
}

// .env.example names every variable of the files, and gives no secret away.
func TestEnvExampleIsComplete(t *testing.T) {
	t.Parallel()
	example := read(t, root+".env.example")
	given := map[string]string{}
	for line := range strings.Lines(example) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "#"), "=")
		if ok && !strings.Contains(name, " ") {
			given[name] = value
		}
	}
	used := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(read(t, composeFile), -1) {
		used[m[1]] = true
		if _, ok := given[m[1]]; !ok {
			t.Errorf("%s is not in .env.example", m[1])
		}
	}
	for name, value := range given {
		if !used[name] {
			t.Errorf("%s in .env.example is used nowhere", name)
		}
		if _, secret := secrets()[name]; secret && value != "" {
			t.Errorf("%s has a value in .env.example", name)
		}
	}
}
