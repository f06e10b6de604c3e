package access

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
)

// opsStyle is the whole style of the operators' pages; the content policy names
// its hash, so that no other style is taken.
const opsStyle template.CSS = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .5rem 1rem; border-block-end: 1px solid #8886; }
header p { margin: 0; flex: 1; }
iframe { border: 0; flex: 1; width: 100%; background: #fff; }
main { margin: 10vh auto; width: min(22rem, 90vw); }
label { display: block; margin-block: 1rem .25rem; }
input, button { font: inherit; padding: .5rem; box-sizing: border-box; }
main input, main button { width: 100%; }
main button { margin-block-start: 1.5rem; }
[role=alert] { border-inline-start: .25rem solid #b00; padding-inline-start: .75rem; }
`

func styleHash(css template.CSS) string {
	h := sha256.Sum256([]byte(css))
	return base64.StdEncoding.EncodeToString(h[:])
}
