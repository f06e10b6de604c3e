//go:build unix

package devenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelperHasScratch is the program that gets killed in the next test.
func TestHelperHasScratch(t *testing.T) {
	if helperArgs(t) == nil {
		return
	}
	env, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	s, err := env.Scratch(t.Context(), "killed")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	os.Stdout.WriteString("dir " + s.Dir + " up\n")
	select {}
}

// What a killed program left is removed by the next, and nothing of a living one.
func TestScratchOfAKilledProgramIsSwept(t *testing.T) {
	inOwnCheckout(t)
	t.Setenv("TMPDIR", t.TempDir())
	env, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	mine, err := env.Scratch(t.Context(), "alive")
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	user := asHelper(t, "TestHelperHasScratch", "x")
	out, err := user.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := user.Start(); err != nil {
		t.Fatal(err)
	}
	said, got := make([]byte, 4096), ""
	for !strings.Contains(got, "up\n") {
		n, err := out.Read(said)
		if err != nil {
			t.Fatalf("the program said %q: %v", got, err)
		}
		got += string(said[:n])
	}
	databases := func() string {
		return query(t, env.DatabaseURL, `select count(*)::text from pg_database where starts_with(datname, 'bareed_scratch_')`)
	}
	dirs := func() int {
		found, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchDir+"*")) // the pattern is our own
		return len(found)
	}
	sweep := func() {
		t.Helper()
		next, err := Up(t.Context(), Options{Mode: Test, NoRedis: true})
		if err != nil {
			t.Fatal(err)
		}
		next.Close()
	}
	sweep()
	if databases() != "2" || dirs() != 2 {
		t.Errorf("%s databases and %d directories of two living programs", databases(), dirs())
	}
	if err := user.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = user.Wait() // it was killed
	eventually(t, "only the living program's is left", func() bool {
		sweep()
		return databases() == "1" && dirs() == 1
	})
	query(t, mine.DatabaseURL, `select current_database()::text`)
	mine.Close()
	if databases() != "0" || dirs() != 0 {
		t.Errorf("%s databases and %d directories are left", databases(), dirs())
	}
}
