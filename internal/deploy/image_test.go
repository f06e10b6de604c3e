package deploy_test

import (
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bareed/internal/config"
)

// dockerRule says what is wrong with a Dockerfile's instructions, or nothing.
type dockerRule struct {
	name   string
	check  func(lines []string) string
	broken []change
}

var (
	goImage   = regexp.MustCompile(`(?m)^ARG GO_IMAGE=golang:(\d+\.\d+\.\d+)(@sha256:[0-9a-f]{64})?$`)
	goVersion = regexp.MustCompile(`(?m)^go (\d+\.\d+(\.\d+)?)$`)
	numeric   = regexp.MustCompile(`^USER [1-9]\d*:[1-9]\d*$`)
)

func dockerRules() []dockerRule {
	return []dockerRule{
		{"the builder is pinned", func(l []string) string {
			if !goImage.MatchString(strings.Join(l, "\n")) {
				return "ARG GO_IMAGE must be golang:x.y.z"
			}
			return ""
		}, []change{{"golang:1.26.8\n", "golang:latest\n"}, {"golang:1.26.8\n", "golang:1.26\n"}}},
		{"the image holds nothing but the program", func(l []string) string {
			last := slices.IndexFunc(l, func(s string) bool { return s == "FROM scratch" })
			if last < 0 {
				return "the last stage is not scratch"
			}
			for _, s := range l[last+1:] {
				if strings.HasPrefix(s, "FROM ") || strings.HasPrefix(s, "RUN ") || strings.HasPrefix(s, "ADD ") {
					return s
				}
			}
			return ""
		}, []change{{"FROM scratch", "FROM debian:13"}, {"EXPOSE 8080", "ADD https://x.example/y /y\nEXPOSE 8080"}}},
		{"the build is static, reproducible and says what it is", containing("CGO_ENABLED=0", "-trimpath", "-X main.version=${VERSION}"), []change{
			{"CGO_ENABLED=0 ", ""}, {"-trimpath ", ""}, {" -X main.version=${VERSION}", ""}}},
		{"it has Meta's certificates to check", containing("COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt"), []change{
			{"COPY --from=build /etc/ssl", "# COPY --from=build /etc/ssl"}}},
		{"nobody is root", func(l []string) string {
			if !slices.ContainsFunc(l, numeric.MatchString) {
				return "USER must be two numbers, none of them 0"
			}
			return ""
		}, []change{{"USER 65532:65532", "USER 0:0"}, {"USER 65532:65532", "USER nobody"}}},
		{"no shell is needed", func(l []string) string {
			for _, s := range l {
				for _, p := range []string{"ENTRYPOINT ", "CMD "} {
					if rest, ok := strings.CutPrefix(s, p); ok && !strings.HasPrefix(rest, "[") {
						return s
					}
				}
			}
			return containing(`CMD ["/bareed", "health"]`)(l)
		}, []change{{`CMD ["/bareed", "health"]`, "CMD /bareed health"}, {`ENTRYPOINT ["/bareed"]`, "ENTRYPOINT /bareed"}}},
		{"its settings are ours", func(l []string) string {
			var env []string
			for _, s := range l {
				if strings.HasPrefix(s, "ENV ") {
					env = append(env, strings.Fields(s)[1:]...)
				}
			}
			if _, err := config.Load(env); err != nil || len(env) == 0 {
				return strings.Join(env, " ")
			}
			return ""
		}, []change{{"BAREED_LISTEN=", "BAREED_LISTENS="}}},
	}
}

func containing(want ...string) func([]string) string {
	return func(lines []string) string {
		all := strings.Join(lines, "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				return "without " + w
			}
		}
		return ""
	}
}

// instructions joins continued lines and leaves comments out.
func instructions(text string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

func TestDockerfileKeepsTheRules(t *testing.T) {
	t.Parallel()
	text := read(t, root+"Dockerfile")
	for _, r := range dockerRules() {
		if why := r.check(instructions(text)); why != "" {
			t.Errorf("%s: %s", r.name, why)
		}
		for _, b := range r.broken {
			broken := strings.Replace(text, b.from, b.to, 1)
			if broken == text {
				t.Errorf("the file does not hold %q any more", b.from)
			} else if r.check(instructions(broken)) == "" {
				t.Errorf("%s: %q is let through", r.name, b.to)
			}
		}
	}
}

// The builder's Go is at least the one go.mod asks for.
func TestBuilderIsNewEnough(t *testing.T) {
	t.Parallel()
	image := goImage.FindStringSubmatch(read(t, root+"Dockerfile"))
	needed := goVersion.FindStringSubmatch(read(t, root+"go.mod"))
	if image == nil || needed == nil {
		t.Fatal("one of the versions cannot be read")
	}
	if !slices.IsSortedFunc([]string{needed[1], image[1]}, compareVersions) {
		t.Errorf("the builder has Go %s, go.mod asks for %s", image[1], needed[1])
	}
}

func compareVersions(a, b string) int {
	return slices.Compare(versionOf(a), versionOf(b))
}

func versionOf(s string) []int {
	var out []int
	for part := range strings.SplitSeq(s, ".") {
		n := 0
		for _, c := range part {
			n = n*10 + int(c-'0')
		}
		out = append(out, n)
	}
	return out
}

// Whatever the program is built from reaches the builder, and no secret does.
func TestDockerignore(t *testing.T) {
	t.Parallel()
	patterns := ignorePatterns(t)
	for _, secret := range []string{".env", ".git/config", "bin/bareed", "docs/OPERATE.md", "api/api_test.go", "sandbox/testdata/x.json"} {
		if !ignored(patterns, secret) {
			t.Errorf("%s goes to the builder", secret)
		}
	}
	for _, file := range sources(t) {
		if ignored(patterns, file) {
			t.Errorf("%s is needed and does not go to the builder", file)
		}
	}
}

func ignorePatterns(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(read(t, root+".dockerignore")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.ContainsAny(strings.TrimPrefix(line, "**/"), "!?[]") {
			t.Fatalf("%q: this test does not understand the pattern", line)
		}
		out = append(out, line)
	}
	return out
}

// ignored knows two forms: a path from the root, and **/name for a name at any
// depth; * stands for anything but a slash.
func ignored(patterns []string, file string) bool {
	for _, p := range patterns {
		name, anywhere := strings.CutPrefix(p, "**/")
		parts := strings.Split(file, "/")
		for i := range parts {
			target := parts[i]
			if !anywhere {
				target = strings.Join(parts[:i+1], "/")
			}
			if ok, err := path.Match(name, target); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// sources lists what the program is built from, as the go command sees it.
func sources(t *testing.T) []string {
	t.Helper()
	const format = `{{if .Module}}{{if .Module.Main}}{{$d := .ImportPath}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, "./cmd/bareed")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	list := []string{"go.mod", "go.sum"}
	for line := range strings.FieldsSeq(string(out)) {
		list = append(list, strings.TrimPrefix(line, "bareed/"))
	}
	if len(list) < 100 || !slices.Contains(list, "migrations/0001_base.sql") || !slices.Contains(list, "limits/lua/take.lua") {
		t.Fatalf("%d files: the list is not what it should be", len(list))
	}
	return list
}
