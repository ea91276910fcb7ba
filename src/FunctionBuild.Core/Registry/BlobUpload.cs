using System.Globalization;
using System.Net;
using FunctionBuild.Core.Content;
using FunctionBuild.Core.Registry.Authentication;

namespace FunctionBuild.Core.Registry;

/// <summary>
/// The upload of one blob, in steps that can each be tried again: begin (or mount), send the whole or a chunk, complete.
/// After a step that failed, the registry is asked how far it got, and the upload goes on from there.
/// </summary>
internal sealed class BlobUpload : IDisposable
{
    private const long SmallestChunk = 1024 * 1024;

    private readonly RegistryClient _client;
    private readonly string _repository;
    private readonly Blob _blob;
    private readonly BlobSource _source;
    private readonly Action<long, long> _onMoved;
    private string? _mountFrom;
    private bool _asked;
    private Uri? _place;
    private long _offset;
    private long _told;
    private long _chunkSize;
    private bool _chunked;
    private bool _uncertain;
    private bool _completing;
    private bool _resumed;
    private bool _begunAnew;
    private long _furthest;
    private int _recoveries;

    /// <summary>Prepares an upload.</summary>
    /// <param name="client">The registry.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="mountFrom">A repository that has the blob; null for none.</param>
    /// <param name="asked">Whether the registry said that the repository lacks the blob. If not, it is asked before anything is sent.</param>
    /// <param name="onMoved">Told of progress.</param>
    public BlobUpload(RegistryClient client, string repository, Blob blob, string? mountFrom, bool asked, Action<long, long> onMoved)
    {
        _client = client;
        _repository = repository;
        _blob = blob;
        _source = new BlobSource(blob);
        _mountFrom = mountFrom;
        _asked = asked;
        _onMoved = onMoved;
        _chunkSize = client.Options.ChunkSize;
        _chunked = blob.Length > client.Options.ChunkThreshold;
    }

    /// <summary>How the blob came to be in the repository, once it is.</summary>
    public BlobFate Fate { get; private set; } = BlobFate.Pushed;

    private string What => $"the upload of blob {_blob.Digest} to {_repository}";

    /// <summary>Takes one step. After a failure that may pass, it can be taken again.</summary>
    public async Task<UploadState> StepAsync(CancellationToken cancellation)
    {
        try
        {
            if (_uncertain && await RecoverAsync(cancellation).ConfigureAwait(false))
            {
                return UploadState.Finished;
            }

            // Each step has the retries to itself: what began after many failures is not given up at the next.
            if (_place is null)
            {
                return await BeginAsync(cancellation).ConfigureAwait(false);
            }

            _uncertain = true;
            UploadState state = !_chunked && _offset == 0
                ? await CompleteAsync(_blob.Length, cancellation).ConfigureAwait(false)
                : _offset < _blob.Length
                    ? await SendChunkAsync(cancellation).ConfigureAwait(false)
                    : await CompleteAsync(0, cancellation).ConfigureAwait(false);
            _uncertain = false;
            return state;
        }
        catch (RegistryException e) when (CanGoOnAfter(e))
        {
            throw e.Recoverable();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private async Task<UploadState> BeginAsync(CancellationToken cancellation)
    {
        RegistryAnswer? answer = _mountFrom is null ? null : await MountAsync(_mountFrom, cancellation).ConfigureAwait(false);
        if (answer is { Status: HttpStatusCode.Created })
        {
            _client.CheckDigest(answer, _blob.Digest, What);
            Fate = BlobFate.Mounted;
            return UploadState.Finished;
        }

        if (!_asked && await IsThereAsync(cancellation).ConfigureAwait(false))
        {
            Fate = BlobFate.Existing;
            await GiveUpAsync(answer?.Location, cancellation).ConfigureAwait(false);
            return UploadState.Finished;
        }

        _asked = true;
        answer ??= await _client.SendAsync(HttpMethod.Post, $"{_repository}/blobs/uploads/", new AccessScope(_repository), What, cancellation, HttpStatusCode.Accepted).ConfigureAwait(false);
        _place = answer.Location ?? throw _client.Malformed(What, "its answer to POST has no Location");
        MoveTo(0);
        if (long.TryParse(answer.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out long least) && least > 0)
        {
            _chunkSize = Math.Max(_chunkSize, least);
            _chunked = true;
        }

        return UploadState.Unfinished;
    }

    /// <summary>Tries to mount; null when the registry would not hear of it, and an upload has to be begun.</summary>
    private async Task<RegistryAnswer?> MountAsync(string from, CancellationToken cancellation)
    {
        RegistryAnswer? answer = null;
        try
        {
            var request = $"{_repository}/blobs/uploads/?mount={Uri.EscapeDataString(_blob.Digest.ToString())}&from={Uri.EscapeDataString(from)}";
            answer = await _client.SendAsync(HttpMethod.Post, request, new AccessScope(_repository, from), $"the mount of blob {_blob.Digest} from {from}", cancellation, HttpStatusCode.Created, HttpStatusCode.Accepted).ConfigureAwait(false);
        }
        catch (RegistryException e) when (!e.IsTransient && e.Status is not null)
        {
            _client.Options.Report?.Invoke($"{e.Message} The blob is sent.");
        }

        _mountFrom = null;
        if (answer is { Status: HttpStatusCode.Accepted })
        {
            _client.Options.Report?.Invoke($"{_repository}: the registry does not mount blob {_blob.Digest} from {from}; it is sent.");
        }

        return answer;
    }

    /// <summary>Takes back an upload that the registry began because it does not mount. It would forget it by itself some day.</summary>
    private async Task GiveUpAsync(Uri? place, CancellationToken cancellation)
    {
        if (place is null)
        {
            return;
        }

        try
        {
            await _client.SendAsync(
                new RegistryRequest(HttpMethod.Delete, place, $"DELETE of {What}") { Scope = new AccessScope(_repository) },
                cancellation,
                HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed).ConfigureAwait(false);
        }
        catch (RegistryException e)
        {
            _client.Options.Report?.Invoke(e.Message);
        }
    }

    private async Task<UploadState> SendChunkAsync(CancellationToken cancellation)
    {
        long length = Math.Min(_chunkSize, _blob.Length - _offset);
        var request = new RegistryRequest(HttpMethod.Patch, _place!, What)
        {
            Scope = new AccessScope(_repository),
            Content = watchdog =>
            {
                BlobContent content = Body(_offset, length, watchdog);
                content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{_offset}-{_offset + length - 1}"));
                return content;
            },
        };
        RegistryAnswer answer = await _client.SendAsync(request, cancellation, HttpStatusCode.Accepted, HttpStatusCode.NoContent, HttpStatusCode.Created).ConfigureAwait(false);
        _place = answer.Location ?? _place;
        long before = _offset;
        MoveTo(answer.ReceivedBytes is { } received && received <= _blob.Length ? received : _offset + length);
        return _offset > before ? UploadState.Unfinished : throw _client.Malformed(What, $"it took a chunk, but has no more than {_offset} bytes").Recoverable();
    }

    /// <summary>Sends the whole blob, or nothing when all of it was sent, and says that this is all.</summary>
    private async Task<UploadState> CompleteAsync(long length, CancellationToken cancellation)
    {
        _completing = true;
        var request = new RegistryRequest(HttpMethod.Put, _place!.WithQuery(("digest", _blob.Digest.ToString())), What)
        {
            Scope = new AccessScope(_repository),
            Content = watchdog => Body(0, length, watchdog),
        };
        RegistryAnswer answer = await _client.SendAsync(request, cancellation, HttpStatusCode.Created, HttpStatusCode.NoContent).ConfigureAwait(false);
        _client.CheckDigest(answer, _blob.Digest, What);
        MoveTo(_blob.Length);
        return UploadState.Finished;
    }

    private BlobContent Body(long offset, long length, Watchdog watchdog)
    {
        Tell(offset, 0);
        return new BlobContent(_source, offset, length, position => Tell(position, position - _told), watchdog);
    }

    /// <summary>Finds out where the upload stands; whether it was finished after all.</summary>
    private async Task<bool> RecoverAsync(CancellationToken cancellation)
    {
        if (_recoveries++ > _client.Options.MaximumRetries)
        {
            throw _client.Malformed(What, $"it loses again and again what it had; {_furthest} of {_blob.Length} bytes is how far it came");
        }

        if (_place is { } place)
        {
            RegistryAnswer answer = await _client.SendAsync(
                new RegistryRequest(HttpMethod.Get, place, $"GET of how far {What} has come") { Scope = new AccessScope(_repository) },
                cancellation,
                HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed, HttpStatusCode.BadRequest).ConfigureAwait(false);
            if ((int)answer.Status < 300 && answer.ReceivedBytes is { } received && received <= _blob.Length)
            {
                _place = answer.Location ?? place;
                MoveTo(received);
                _resumed |= received > 0;
                _chunked |= received > 0;
                _uncertain = false;
                _client.Options.Report?.Invoke(string.Create(CultureInfo.InvariantCulture, $"Going on with {What} at byte {received} of {_blob.Length}."));
                return false;
            }
        }

        _place = null;
        if (_completing && await IsThereAsync(cancellation).ConfigureAwait(false))
        {
            // The answer to the last request was lost; the upload is gone because it is complete.
            MoveTo(_blob.Length);
            return true;
        }

        _uncertain = false;
        _completing = false;
        return false;
    }

    private async Task<bool> IsThereAsync(CancellationToken cancellation)
    {
        RegistryAnswer answer = await _client.SendAsync(HttpMethod.Head, $"{_repository}/blobs/{_blob.Digest}", new AccessScope(_repository), $"HEAD of blob {_blob.Digest} in {_repository}", cancellation, HttpStatusCode.OK, HttpStatusCode.NotFound).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.NotFound)
        {
            return false;
        }

        _client.CheckDigest(answer, _blob.Digest, What);
        return true;
    }

    /// <summary>Which refusals are no end, because the spec has an answer to them.</summary>
    private bool CanGoOnAfter(RegistryException error)
    {
        switch (error.Status)
        {
            case HttpStatusCode.RequestedRangeNotSatisfiable when _uncertain:
                // Out of step: the registry is asked how far it got.
                return true;

            case HttpStatusCode.NotFound when _uncertain && error.Code is null or "BLOB_UPLOAD_UNKNOWN" or "BLOB_UPLOAD_INVALID":
                // The registry lost the upload, or gave it up because the last request broke off.
                _place = null;
                return true;

            case HttpStatusCode.RequestEntityTooLarge when _uncertain && (!_chunked || _chunkSize / 2 >= SmallestChunk):
                _chunkSize = _chunked ? _chunkSize / 2 : Math.Min(_chunkSize, Math.Max(SmallestChunk, _blob.Length / 2));
                _chunked = true;
                return true;

            case HttpStatusCode.BadRequest when error.Code == "DIGEST_INVALID" && _resumed && !_begunAnew:
                // What was there when the upload was resumed was not what had been sent.
                _begunAnew = true;
                _place = null;
                return true;

            default:
                return false;
        }
    }

    private void MoveTo(long offset)
    {
        _offset = offset;
        Tell(offset, 0);
        if (offset > _furthest)
        {
            _furthest = offset;
            _recoveries = 0;
        }
    }

    private void Tell(long position, long travelled)
    {
        _onMoved(position - _told, travelled);
        _told = position;
    }
}
