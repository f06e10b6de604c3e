//go:build unix

package main_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The quick start is run as it stands, block by block in one shell, so that it
// cannot say what is not so.
func (l *life) quickstart() {
	t := l.t
	page, err := os.ReadFile("../../docs/QUICKSTART.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for i, block := range strings.Split(string(page), "```sh\n") {
		if commands, _, ok := strings.Cut(block, "\n```"); ok && i > 0 {
			script.WriteString(commands + "\n")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", script.String())
	cmd.Dir, cmd.WaitDelay = t.TempDir(), time.Second
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "BAREED=" + l.URL, "KEY=" + l.tenant.Key}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for _, want := range []string{`"kind":"key"`, "num_", "tpl_", `"opted_in":1`, `"eligible":1`, `"no_opt_in":1`, `"granted":true`, `"eligible":2`,
		`"code":"campaign.recipients_changed"`, "202 Accepted", "Idempotency-Replayed: true", "event: campaign.launched", "event: figures",
		"event: campaign.completed", `"delivered":2`, `"balanced":true`, "سارة الحربي"} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%s is not there, or not behind what comes before it:\n%s", want, out)
		}
		rest = after
	}
}
