//go:build unix

package software

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// chromiumNames are looked for on PATH, chromiumPlaces after it.
var (
	chromiumNames  = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"}
	chromiumPlaces = []string{
		"/usr/bin/chromium", "/usr/bin/google-chrome", "/snap/bin/chromium",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	}
)

// Chromium returns the path of a browser and makes sure of a font with Arabic
// letters that is fit to be judged by: Debian's bare DejaVu is not. CHROMIUM
// names a browser of one's own. mayInstall lets it be installed; a missing
// browser or font is a *MissingError.
func Chromium(ctx context.Context, out io.Writer, mayInstall bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	bin, why := chromium(ctx)
	if why == "" {
		return bin, nil
	}
	if mayInstall {
		if err := Install(ctx, out, "chromium fonts-noto-core fontconfig", "chromium"); err != nil {
			return "", missingChromium(err.Error())
		}
		if bin, why = chromium(ctx); why == "" {
			return bin, nil
		}
	}
	return "", missingChromium(why)
}

// chromium tells what is missing of browser and fonts.
func chromium(ctx context.Context) (bin, why string) {
	if bin = os.Getenv("CHROMIUM"); bin == "" {
		bin = findChromium()
	}
	if bin == "" || !Runnable(bin) {
		return "", "no browser was found"
	}
	list, err := exec.CommandContext(ctx, "fc-list", ":lang=ar", "family").Output()
	if err != nil {
		return bin, "" // no fontconfig: macOS, which has the fonts
	}
	for line := range strings.Lines(string(list)) {
		if !strings.Contains(line, "DejaVu") {
			return bin, ""
		}
	}
	return bin, "there is no font for Arabic"
}

func findChromium() string {
	for _, n := range chromiumNames {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	for _, p := range chromiumPlaces {
		if Runnable(p) {
			return p
		}
	}
	return ""
}

func missingChromium(why string) *MissingError {
	return &MissingError{Service: "Chromium with a font for Arabic", Why: why, Ways: [][2]string{
		{"install it", installHint("chromium fonts-noto-core", "chromium google-noto-sans-arabic-fonts", "--cask chromium")},
		{"or have it done", "go run ./cmd/dev e2e --install"},
		{"use your own", fmt.Sprintf("export CHROMIUM=%q", "/path/of/chrome")},
	}}
}
