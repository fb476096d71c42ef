// What browser.py asks of the page. `jupyterapp` is there with the option --LabApp.expose_app_in_browser.
window.look = {
    panel: () => window.jupyterapp?.shell.currentWidget,
    cells: () => [...look.panel().content.model.cells].filter(cell => cell.type === 'code'),

    // A kernel that is missing or has died is told in a dialog.
    dialog() {
        const text = document.querySelector('.jp-Dialog-content')?.innerText;
        if (text) throw new Error(`JupyterLab says: ${text.split('\n')[0]}`);
    },

    // The indicator says "idle" before there is a kernel: the session knows.
    idle() {
        look.dialog();
        const session = look.panel()?.sessionContext;
        const kernel = session?.isReady && session.session?.kernel;
        return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
    },

    // An error keeps the later cells from running.
    ran() {
        const raised = cell => cell.outputs.toJSON().some(output => output.output_type === 'error');
        const done = cell => cell.executionCount !== null && cell.executionState !== 'running';
        return look.idle() && (look.cells().some(raised) || look.cells().every(done));
    },

    outputs: () => look.cells().map(cell => ({execution_count: cell.executionCount, outputs: cell.outputs.toJSON()})),

    // What a widget's callback raises is in the page alone, not among the outputs of its cell.
    red() {
        const kinds = ['stderr', 'error'].map(kind => `[data-mime-type="application/vnd.jupyter.${kind}"]`).join();
        const cells = [...document.querySelectorAll('.jp-CodeCell')];
        return cells.flatMap((cell, i) => [...cell.querySelectorAll(kinds)].map(part => [i + 1, part.innerText]));
    },

    // The pictures of the cells, those of widgets left out, that have really become pictures.
    async drawn() {
        const images = [...document.querySelectorAll('.jp-RenderedImage img')];
        await Promise.allSettled(images.map(image => image.decode()));
        return images.filter(image => !image.closest('.jupyter-widgets') && image.naturalWidth > 0).length;
    },

    // What stands as it was written: macros that MathJax doesn't know, in red, and lines with signs of Markdown or TeX.
    raw() {
        const unknown = [...document.querySelectorAll('mjx-merror, mjx-mtext[style*="color: red"]')];
        const lines = [...document.querySelectorAll('.jp-RenderedMarkdown')].flatMap(part => {
            const copy = part.cloneNode(true);
            copy.querySelectorAll('code, mjx-container').forEach(other => other.remove());
            return copy.textContent.split('\n').filter(line => /\$|##|\*\*/.test(line));
        });
        return [...unknown.map(part => part.closest('mjx-container').textContent), ...lines];
    },

    // What the cell around a slider or a text area shows, without these.
    shown(control) {
        const area = control.closest('.jp-CodeCell').querySelector('.jp-Cell-outputArea').cloneNode(true);
        area.querySelectorAll('.widget-slider, .widget-textarea').forEach(other => other.remove());
        const images = [...area.querySelectorAll('img')];
        return {pictures: images.length, content: images.map(image => image.src).join() + area.textContent.trim()};
    },

    // Another content; none at all is only the moment before it.
    changed(control, before) {
        look.dialog();
        const content = look.shown(control).content;
        return content && content !== before.content;
    },

    // The cursor stands where more text spoils no syntax: within the first quotation marks, or at the beginning.
    place(area) {
        const at = area.value.search(/"\w/) + 1;
        area.focus();
        area.setSelectionRange(at, at);
    },

    // How many screens the notebook takes; below the last cell is room to scroll.
    screens() {
        const end = [...look.scroller().querySelectorAll('.jp-Cell')].at(-1).getBoundingClientRect().bottom;
        return Math.ceil((end - look.scroller().getBoundingClientRect().top) / look.scroller().clientHeight);
    },

    scroll(screen) {
        look.scroller().scrollTop = screen * look.scroller().clientHeight;
    },

    scroller: () => look.panel().node.querySelector('.jp-WindowedPanel-outer'),
};
