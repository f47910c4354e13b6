"""The workbench in the browser: one process, loopback by default, pages over what the store holds.

How a screen joins (see `screens.py`, `worklist.py` for one that does):
1. Make `web/NAME.py` with `router = APIRouter()`, and add it to `ROUTERS` in `screens.py`. Handlers are plain `def`.
2. A page of a case adds a `CaseScreen(order, "Candidacy", "/cases/{case_id}/candidacy", shown=...)` to `CASE_SCREENS`.
3. The store and files: `bench: TheBench`, then `bench.store`, `bench.files`, `bench.executor`.
4. The user: `user: Reader`, or `Editor`, `Admin` (all from `access.py`). Who may not is answered 403.
5. The case: `case: TheCase`: looked up by the id of the address, 404 where there is none; the
   reading is kept in the audit. Its results: `case.folder`, `read_document(case.folder)`; its files: `input_paths`.
6. A page: `return page(request, "name.html.j2", case=case, ...)`; templates extend `base.html.j2` or `case.html.j2`.
7. A change is POST with `user: Editor`; its CSRF token is checked for you: `{{ csrf_field }}` in a plain form, htmx
   sends it by itself. Keep it in the audit with `note(bench.store, user.name, "did this", case)`.
8. A job: add a task to `jobs/tasks.py`, then `start_job(bench, user, "task", "Title", case, {...})`; the page
   shows it with `{% include "job.html.j2" %}` and it moves by itself. No handler computes.
9. The REST door has the same data: a function in `rest.py` beside the page. Errors are `InputError`: shown as one line.
10. Scripts and styles are files in `static/`: the policy forbids inline ones. `vendor/` has htmx, uPlot and NiiVue.
"""
