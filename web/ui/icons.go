package ui

import (
	"fmt"
	"html/template"
)

// shapes are our own icons: strokes on a field of 24 by 24.
var shapes = map[string]string{
	"logo":      `<path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4.2A2.5 2.5 0 0 1 4 13.5z" fill="currentColor" stroke="none"/><path class="cut" d="M7.5 8l4.5 3.2L16.5 8"/>`,
	"home":      `<path d="M4 11l8-7 8 7v8.5a.5.5 0 0 1-.5.5H15v-6H9v6H4.5a.5.5 0 0 1-.5-.5z"/>`,
	"campaigns": `<path d="M4 10v4l3 .4V9.6zM7 9.6L19 5v14L7 14.4zM9 15v3.5a1.5 1.5 0 0 0 3 0V16.2"/>`,
	"audiences": `<circle cx="9" cy="8.5" r="3.5"/><path d="M3 19.5c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.5c2.1.8 3.5 2.6 3.5 5"/>`,
	"contacts":  `<rect x="4" y="3.5" width="15" height="17" rx="2"/><circle cx="11.5" cy="9.5" r="2.5"/><path d="M7.5 16.5c.5-2 2-3 4-3s3.5 1 4 3M19 8h2M19 12h2M19 16h2"/>`,
	"templates": `<rect x="4" y="4" width="16" height="16" rx="2"/><path d="M4 9h16M8 13h8M8 16.5h5"/>`,
	"money":     `<rect x="3" y="6" width="18" height="12" rx="2"/><circle cx="12" cy="12" r="2.8"/><path d="M6.5 12h.01M17.5 12h.01"/>`,
	"numbers":   `<rect x="7" y="2.5" width="10" height="19" rx="2"/><path d="M10.5 18.5h3"/>`,
	"settings":  `<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
	"queues":    `<rect x="4" y="4" width="16" height="4" rx="1"/><rect x="4" y="10" width="16" height="4" rx="1"/><rect x="4" y="16" width="10" height="4" rx="1"/>`,
	"menu":      `<path d="M4 7h16M4 12h16M4 17h16"/>`,
	"close":     `<path d="M6 6l12 12M18 6L6 18"/>`,
	"check":     `<path d="M5 12.5l4.5 4.5L19 7.5"/>`,
	"done":      `<circle cx="12" cy="12" r="8.5"/><path d="M8 12.3l2.8 2.7L16 9.5"/>`,
	"info":      `<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.8v.2"/>`,
	"warning":   `<path d="M12 4l9 15.5H3zM12 10v4.5M12 16.8v.2"/>`,
	"danger":    `<path d="M8.3 3.5h7.4l4.8 4.8v7.4l-4.8 4.8H8.3l-4.8-4.8V8.3zM12 8v5M12 15.8v.2"/>`,
	"clock":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>`,
	"pause":     `<path d="M8.5 5.5v13M15.5 5.5v13"/>`,
	"play":      `<path d="M7.5 5l11 7-11 7z"/>`,
	"stop":      `<rect x="6" y="6" width="12" height="12" rx="1.5"/>`,
	"draft":     `<path d="M4.5 19.5l1-4L16 5l3 3L8.5 18.5zM14 7l3 3"/>`,
	"hold":      `<path d="M7 3.5h10M7 20.5h10M8 3.5c0 4.5 4 5.5 4 8.5s-4 4-4 8.5M16 3.5c0 4.5-4 5.5-4 8.5s4 4 4 8.5"/>`,
	"send":      `<path d="M4 12l16-8-5 16-3.5-6.5zM11.5 13.5L20 4"/>`,
	"search":    `<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>`,
	"plus":      `<path d="M12 5v14M5 12h14"/>`,
	"minus":     `<path d="M5 12h14"/>`,
	"upload":    `<path d="M12 16V5M7.5 9L12 4.5 16.5 9M4.5 16v3a1 1 0 0 0 1 1h13a1 1 0 0 0 1-1v-3"/>`,
	"download":  `<path d="M12 4.5V15M7.5 11.5L12 16l4.5-4.5M4.5 16v3a1 1 0 0 0 1 1h13a1 1 0 0 0 1-1v-3"/>`,
	"copy":      `<rect x="8.5" y="8.5" width="11" height="11" rx="2"/><path d="M15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/>`,
	"external":  `<path d="M13 5h6v6M19 5l-8 8M17 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4"/>`,
	"next":      `<path d="M9 5l7 7-7 7"/>`,
	"back":      `<path d="M15 5l-7 7 7 7"/>`,
	"down":      `<path d="M6 9.5l6 6 6-6"/>`,
	"sun":       `<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"/>`,
	"moon":      `<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`,
	"auto":      `<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>`,
	"language":  `<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c2.5 2.5 3.5 5.3 3.5 8.5s-1 6-3.5 8.5c-2.5-2.5-3.5-5.3-3.5-8.5S9.5 6 12 3.5z"/>`,
	"sign-out":  `<path d="M14 4.5H6a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1h8M10.5 12H20M16.5 8.5L20 12l-3.5 3.5"/>`,
	"help":      `<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 2M12 16.5v.2"/>`,
	"shield":    `<path d="M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM8.8 11.8l2.3 2.3 4.2-4.3"/>`,
	"file":      `<path d="M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12.5h6M9 16h6"/>`,
	"report":    `<path d="M4.5 4v15.5H20M8.5 16v-4M12.5 16V8M16.5 16v-6"/>`,
	"key":       `<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5l8-8M16 7.5l2.5 2.5M13.5 10l1.5 1.5"/>`,
	"trash":     `<path d="M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6"/>`,
	"undo":      `<path d="M8.5 5l-4.5 4.5L8.5 14M4 9.5h9.5a5 5 0 0 1 0 10H11"/>`,
	"refresh":   `<path d="M19 8.5A8 8 0 1 0 20 12M19.5 4v4.5H15"/>`,
	"filter":    `<path d="M4 5.5h16l-6.2 7.5v5.5l-3.6-2V13z"/>`,
	"more":      `<path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="3"/>`,
	"workspace": `<path d="M4 20V6.5L12 4v16M12 9.5l8 2V20M4 20h16M7.5 9v.01M7.5 12.5v.01M7.5 16v.01M16 14.5v.01M16 17.5v.01"/>`,
	"image":     `<rect x="3.5" y="5" width="17" height="14" rx="2"/><circle cx="9" cy="10" r="1.5"/><path d="M4 17l5-4 3.5 3 3-2.5 4.5 4"/>`,
	"reply":     `<path d="M9.5 6L4.5 11l5 5M4.5 11H14a5.5 5.5 0 0 1 5.5 5.5V19"/>`,
}

// mirrored are those that point along the line of reading.
var mirrored = map[string]bool{"next": true, "back": true, "send": true, "sign-out": true, "external": true, "undo": true, "reply": true, "campaigns": true}

// icon draws one beside a word that says the same; a reader that listens is not
// told twice.
func icon(name string) (template.HTML, error) {
	shape, ok := shapes[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %s", name)
	}
	class := "icon"
	if mirrored[name] {
		class += " mirrored"
	}
	return template.HTML(`<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + shape + `</svg>`), nil //nolint:gosec // our own table
}
